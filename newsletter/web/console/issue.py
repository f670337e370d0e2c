"""An issue: its stories on the left, its letter on the right, the approval below."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.core.forecast import Forecast
from newsletter.core.next_step import NextStep, next_step
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotFound, StaleDraft
from newsletter.services.preview import Preview
from newsletter.web.console.access import See, Visit
from newsletter.web.console.personas import Persona, persona_of, preview_as

router = APIRouter()


def issue_path(tail: str = "") -> str:
    """Return the path of a route of one issue."""
    return f"/{{slug}}/issues/{{on}}{tail}"


def issue_url(visit: Visit, on: date) -> str:
    """Return the address of an issue's page, without the origin."""
    return f"/{visit.here.slug}/issues/{on}"


class View(StrEnum):
    """In which way a letter is looked at; each is one key, in this order."""

    PHONE = "phone"
    DESKTOP = "desktop"
    DARK = "dark"
    REPAINTED = "repainted"
    NO_PICTURES = "no-pictures"
    PLAIN = "plain"
    INBOX = "inbox"
    MESSAGE = "message"
    CHANGES = "changes"
    BESIDE = "beside"  #: the smallest, the longest and the largest, side by side


@dataclass(frozen=True)
class IssueView:
    """What every page of an issue shows above its own part."""

    on: date
    stored: StoredIssue | None
    step: NextStep
    forecast: Forecast | None  #: None once it is planned

    @property
    def exists(self) -> bool:
        return self.stored is not None


@router.get("/{slug}/issues")
def issues(request: Request, visit: See, before: date | None = None) -> HTMLResponse:
    """List the issues, the newest first."""
    listed = visit.services.archive.listed(visit.here, before=before)
    return visit.services.pages.show(request, "issues", visit=visit, issues=listed)


@router.get(issue_path())
def issue(
    request: Request, visit: See, on: date, view: View = View.PHONE, whom: str = ""
) -> HTMLResponse:
    """Show stories and letter."""
    return show_issue(request, visit, on, view=view, whom=whom)


def show_stale(request: Request, visit: Visit, on: date, stale: StaleDraft) -> HTMLResponse:
    """Show the issue as it is now, and what changed since it was looked at; nothing was done."""
    return show_issue(request, visit, on, stale=stale.changes, status=409)


def show_issue(
    request: Request,
    visit: Visit,
    on: date,
    *,
    view: View = View.PHONE,
    whom: str = "",
    stale: tuple[str, ...] = (),
    said: str = "",
    moved: int | None = None,
    status: int = 200,
) -> HTMLResponse:
    """Show stories and letter, with what was said to a form that could not be done."""
    head = issue_view(visit, on)
    persona = persona_of(whom)
    preview, absent = _preview(visit, on, persona)
    services = visit.services
    return services.pages.show(
        request,
        "issue",
        status=status,
        block="letter" if request.headers.get("hx-target", "").endswith("letter") else "all",
        visit=visit,
        head=head,
        view=view,
        views=tuple(View),
        whom=str(persona),
        persona=persona,
        preview=preview,
        absent=absent,
        stories=tuple(_stories(head)),
        held=services.today.held(visit.here, on),
        stale=stale,
        said=said,
        findings=(),
        moved=_moved(visit, head, moved),
        left_out=(),
        editions=head.forecast.editions if head.forecast else (),
        without_story=head.forecast.without_story if head.forecast else (),
        falls_back=0,
        when="",
        four_eyes="",
        approvers="",
        last_inbox=None,
        changes=(),
        beside=(),
        previous_edition="",
        next_edition="",
        staff_addresses=(visit.member.email,),
        last_test="",
    )


def issue_view(visit: Visit, on: date) -> IssueView:
    """Return what is known of an issue's state and readers; NotFound before it is assembled."""
    stored = visit.services.archive.issue(visit.here, on)
    if stored is None and on != visit.today:
        raise NotFound(f"there is no issue of {on}")
    step = next_step(visit.here.timetable, on, visit.now, stored.state if stored else None)
    planned = stored is not None and stored.planned_at is not None
    forecast = None if planned else visit.services.forecasts.of(visit.here, on)
    return IssueView(on, stored, step, forecast)


def _preview(visit: Visit, on: date, persona: Persona) -> tuple[Preview | None, str]:
    """Return the letter, or why there is none."""
    try:
        return preview_as(visit, on, persona), ""
    except NotFound as nothing:
        return None, str(nothing)


def _moved(visit: Visit, head: IssueView, brief_id: int | None) -> str:
    """Return what is announced after a move: the story's new place."""
    issue = head.stored and head.stored.issue
    places = [one.brief_id for one in issue.entries] if issue else []
    if brief_id not in places:
        return ""
    place = places.index(brief_id) + 1
    return str(visit.services.pages.words("issue.moved", place=place, count=len(places)))


@dataclass(frozen=True)
class StoryRow:
    """A story in its place."""

    number: int
    brief_id: int
    title: str
    verification: str
    short_line: str
    lead: bool
    pinned: bool
    readers: int | None  #: None: the issue is planned, and no forecast is made
    is_first: bool
    is_last: bool


def _stories(head: IssueView) -> Iterator[StoryRow]:
    issue = head.forecast.issue if head.forecast else head.stored and head.stored.issue
    if issue is None:
        return
    pinned = head.stored.edits.pinned if head.stored else None
    for number, entry in enumerate(issue.entries, start=1):
        yield StoryRow(
            number=number,
            brief_id=entry.brief_id,
            title=entry.brief.title,
            verification=entry.brief.verification,
            short_line=entry.short_line,
            lead=entry.lead,
            pinned=entry.brief_id == pinned,
            readers=head.forecast.readers_of(entry.brief_id) if head.forecast else None,
            is_first=number == 1,
            is_last=number == len(issue.entries),
        )
