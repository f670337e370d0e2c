"""An issue: its stories on the left, its letter on the right, the approval below."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.core.next_step import NextStep
from newsletter.core.staff import Permission
from newsletter.errors import StaleDraft
from newsletter.services.comparing import SinceApproval
from newsletter.web.console.access import See, Visit
from newsletter.web.console.counting import counting_first
from newsletter.web.console.issue_page import (
    NO_FORM,
    NOTHING_TYPED,
    OFFERED,
    FormOutcome,
    IssueView,
    Typed,
    View,
    approvers,
    falls_back,
    four_eyes,
    issue_view,
    letter_view,
    neighbours,
    offered,
    own_change,
    story_rows,
    when_it_leaves,
)
from newsletter.web.console.notified import people_notified
from newsletter.web.console.personas import Persona, persona_of

router = APIRouter()

#: What an edit without a script leads back with: the name of a word.
_DONE = frozenset(
    {"wording_saved", "line_saved", "pinned_now", "unpinned", "left_out_now", "taken_in"}
)


def issue_path(tail: str = "") -> str:
    """Return the path of a route of one issue."""
    return f"/{{slug}}/issues/{{on}}{tail}"


@router.get("/{slug}/issues")
def issues(request: Request, visit: See, before: date | None = None) -> HTMLResponse:
    """List the issues, the newest first."""
    listed = visit.services.archive.listed(visit.here, before=before)
    return visit.services.pages.show(request, "issues", visit=visit, issues=listed)


@router.get(issue_path())
def issue(
    request: Request, visit: See, on: date, view: View = View.PHONE, whom: str = "", said: str = ""
) -> HTMLResponse:
    """Show stories and letter."""
    first = counting_first(request, visit, on)
    outcome = FormOutcome(done=said if said in _DONE else "")
    return first or show_issue(request, visit, on, outcome, view=view, whom=whom)


def show_stale(
    request: Request,
    visit: Visit,
    on: date,
    stale: StaleDraft,
    *,
    seen: str,
    typed: Typed = NOTHING_TYPED,
) -> HTMLResponse:
    """Show the issue as it is now, and what changed since it was looked at; nothing was done."""
    changed = visit.services.comparing.since_seen(visit.here, on, seen).fields
    outcome = FormOutcome(stale=stale.changes, changed=changed, typed=typed, status=409)
    return show_issue(request, visit, on, outcome)


def show_issue(
    request: Request,
    visit: Visit,
    on: date,
    outcome: FormOutcome = NO_FORM,
    *,
    view: View | None = None,
    whom: str = "",
) -> HTMLResponse:
    """Show stories and letter, with what became of a form.

    Without a view it is the one that the browser shows while htmx asks, or the phone.
    """
    head, pages = issue_view(visit, on), visit.services.pages
    if view is None:
        view, whom = _looked_at(request)
    letter_only = request.headers.get("hx-target", "").endswith("letter")
    said = vars(outcome) | {
        "done": pages.words(f"issue.{outcome.done}") if outcome.done else "",
        "moved": _moved(visit, head, outcome.moved),
    }
    return pages.show(
        request,
        "issue",
        block="letter" if letter_only else "all",
        visit=visit,
        head=head,
        differs=_differs(visit, head),
        **said,
        **_stories(visit, head),
        **_letter(visit, head, view, persona_of(whom)),
        **_approval(visit, head),
    )


def _differs(visit: Visit, head: IssueView) -> SinceApproval | None:
    """Return what was approved, where the issue is open again and would leave otherwise now."""
    if not (head.stored and head.is_open):
        return None
    found = visit.services.comparing.since_approval(visit.here, head.on)
    return found if found and found.changes else None


def _looked_at(request: Request) -> tuple[View, str]:
    """Return the view, and as whom, of the page that htmx asks from."""
    asked = parse_qs(urlsplit(request.headers.get("hx-current-url", "")).query)
    view, whom = asked.get("view", [""])[0], asked.get("whom", [""])[0]
    return (View(view) if view in tuple(View) else View.PHONE), whom


def _stories(visit: Visit, head: IssueView) -> dict[str, Any]:
    services, stored = visit.services, head.stored
    remarks = services.issue_remarks
    return {
        "frozen": remarks.frozen(visit.here, stored) if stored else None,
        "no_room": remarks.left_out(visit.here, stored) if stored else (),
        "editable": head.is_open and head.stored is not None and visit.may(Permission.EDIT),
        "stories": tuple(story_rows(head)),
        "left_out": services.editing.left_out(head.stored) if head.stored else (),
        "held": services.today.held(visit.here, head.on),
        "falls_back": falls_back(head),
    }


def _letter(visit: Visit, head: IssueView, view: View, persona: Persona) -> dict[str, Any]:
    editions = head.forecast.editions if head.forecast else ()
    before, after = neighbours([one.edition for one in editions], persona)
    return {
        "view": view,
        "views": tuple(View),
        "whom": str(persona),
        "persona": persona,
        "letter": letter_view(visit, head, view, persona),
        "editions": tuple(offered(editions, persona)),
        "without_story": head.forecast.without_story[:OFFERED] if head.forecast else (),
        "previous_edition": before,
        "next_edition": after,
    }


def _approval(visit: Visit, head: IssueView) -> dict[str, Any]:
    services = visit.services
    request = services.approval_requests.of(head.stored)
    report = services.preflight.report(visit.here, head.on) if _is_reviewed(head) else None
    return {
        "report": report,
        "when": when_it_leaves(visit, head.on) if report else "",
        "four_eyes": four_eyes(visit, head),
        "own_change": own_change(visit, head),
        "approval_request": request,
        "notified": people_notified(visit, head.stored, request),
        "approvers": approvers(visit),
        "staff_addresses": services.staff_addresses(),
        "last_test": next(iter(services.test_letters.last(visit.here)), None),
    }


def _is_reviewed(head: IssueView) -> bool:
    return head.step in {NextStep.APPROVE, NextStep.WAIT}


def _moved(visit: Visit, head: IssueView, brief_id: int | None) -> str:
    """Return what is announced after a move: the story's new place."""
    entries = head.issue.entries if head.issue else ()
    places = [one.brief_id for one in entries]
    if brief_id not in places:
        return ""
    place = places.index(brief_id) + 1
    return str(visit.services.pages.words("issue.moved", place=place, count=len(places)))
