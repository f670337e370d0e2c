"""What the page of an issue shows, worked out from the services: no HTML, no words of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property, partial

from markupsafe import Markup

from newsletter.core.difference import Difference
from newsletter.core.edition import Edition
from newsletter.core.forecast import Forecast, ForecastEdition
from newsletter.core.inbox_line import InboxLine
from newsletter.core.issue import Issue
from newsletter.core.issue_changes import FieldChange
from newsletter.core.next_step import NextStep, next_step
from newsletter.core.promise import promise_of
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.staff import Permission
from newsletter.core.stored import StoredIssue
from newsletter.core.timetable import SkippedDay, hours_of
from newsletter.core.wording import Wording
from newsletter.errors import NotFound, OwnChange, UndeclaredLogin
from newsletter.services.comparing import SinceApproval
from newsletter.services.preview import Preview
from newsletter.web.console.access import Visit
from newsletter.web.console.pages import clock, place
from newsletter.web.console.personas import Persona, preview_as
from newsletter.web.sentences import sentence

OFFERED = 100  #: editions in a list to choose from; the keys before and after lead to all of them


class View(StrEnum):
    """In which way a letter is looked at; each but the last is one key, in this order."""

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

    slug: str  #: of the newsletter
    on: date
    stored: StoredIssue | None
    step: NextStep
    skipped: SkippedDay | None  #: a person said that the day has no issue
    make_forecast: Callable[[], Forecast] | None

    @cached_property
    def forecast(self) -> Forecast | None:
        """Return who would get it; None once it is planned, and on a day that is skipped.

        Only pages that show it wait for it, since readers are counted for it.
        """
        return self.make_forecast() if self.make_forecast else None

    @property
    def content_hash(self) -> str:
        """Return what an edit or an approval of this page is about."""
        return (self.stored and self.stored.content_hash) or ""

    @property
    def issue(self) -> Issue | None:
        """Return the stories as they would leave now, or as they left."""
        if self.forecast:
            return self.forecast.issue
        return self.stored.issue if self.stored else None

    @property
    def is_open(self) -> bool:
        """Return whether it may still be edited."""
        return self.step in {NextStep.GATHER, NextStep.ASSEMBLE, NextStep.APPROVE}


def issue_view(visit: Visit, on: date) -> IssueView:
    """Return how an issue stands; NotFound for a date without one."""
    stored = visit.services.archive.issue(visit.here, on)
    if stored is None and on != visit.today:
        raise NotFound(f"there is no issue of {on}")
    skipped = visit.services.skipped_days.since(visit.here, on).get(on)
    state = stored.state if stored else None
    step = next_step(visit.here.timetable, on, visit.now, state, skipped=skipped is not None)
    planned = stored is not None and stored.planned_at is not None
    without = planned or skipped is not None
    forecast = None if without else partial(visit.services.forecasts.of, visit.here, on)
    return IssueView(visit.here.slug, on, stored, step, skipped, forecast)


@dataclass(frozen=True)
class Typed:
    """What somebody wrote into a form that could not be saved: it stays in the fields."""

    wording: Wording | None = None
    lines: Mapping[int, str] = field(default_factory=dict[int, str])  #: short ones, by brief


NOTHING_TYPED = Typed()


@dataclass(frozen=True, kw_only=True)
class FormOutcome:
    """What became of the form that a page of an issue answers."""

    stale: tuple[str, ...] = ()  #: what changed since the draft was looked at
    changed: tuple[FieldChange, ...] = ()  #: the same, text beside text
    said: str = ""  #: why it was refused
    done: str = ""  #: what was done, by the name of a word
    typed: Typed = NOTHING_TYPED
    ticked: tuple[str, ...] = ()  #: the findings that somebody looked at
    moved: int | None = None  #: the story that has another place now
    status: int = 200


NO_FORM = FormOutcome()


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


def story_rows(head: IssueView) -> Iterator[StoryRow]:
    """Yield the stories in their order."""
    entries = head.issue.entries if head.issue else ()
    pinned = head.stored.edits.pinned if head.stored else None
    for number, entry in enumerate(entries, start=1):
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
            is_last=number == len(entries),
        )


@dataclass(frozen=True, kw_only=True)
class LetterView:
    """The letter as one persona gets it, and what the chosen view needs besides."""

    preview: Preview | None
    absent: str = ""  #: why there is none
    last_inbox: InboxLine | None = None
    approval: SinceApproval | None = None  #: None: it never was approved
    since_approved: tuple[Difference, ...] = ()  #: of the letter's text, where it differs
    changes: Sequence[tuple[str, tuple[Difference, ...]]] = ()  #: by the name of a word
    beside: Sequence[tuple[str, Preview]] = ()  #: by the name of a word


def letter_view(visit: Visit, head: IssueView, view: View, persona: Persona) -> LetterView:
    """Return the letter; what only one view shows is worked out for that view alone."""
    try:
        preview = preview_as(visit, head.on, persona)
    except NotFound as nothing:
        return LetterView(preview=None, absent=str(nothing))
    previews, newsletter = visit.services.previews, visit.here
    match view:
        case View.INBOX:
            last = previews.last_inbox(newsletter, head.on)
            return LetterView(preview=preview, last_inbox=last)
        case View.CHANGES:
            return _changes(visit, head, preview)
        case View.BESIDE if head.forecast:
            found = previews.notable(newsletter, head.on, head.forecast)
            beside = [(name, getattr(found, name)) for name in ("smallest", "longest", "largest")]
            return LetterView(preview=preview, beside=beside)
        case _:
            return LetterView(preview=preview)


def _changes(visit: Visit, head: IssueView, preview: Preview) -> LetterView:
    """Return what differs from what was approved, where something was, and from the issue before.

    A text that is one stretch is the same, or has nothing to be compared with.
    """
    previews, newsletter = visit.services.previews, visit.here
    comparing = visit.services.comparing
    approval = comparing.since_approval(newsletter, head.on) if head.stored else None
    text = previews.since(preview, approval.as_stored) if approval else ()
    last = previews.since_last(newsletter, head.on, preview)
    return LetterView(
        preview=preview,
        approval=approval,
        since_approved=text if len(text) > 1 else (),
        changes=[("since_last", last)] if len(last) > 1 else [],
    )


def offered(editions: Sequence[ForecastEdition], persona: Persona) -> Iterator[ForecastEdition]:
    """Yield the editions to choose from: those with most readers, and the one looked at."""
    yield from editions[:OFFERED]
    for one in editions[OFFERED:]:
        if one.edition.key == persona.which:
            yield one


def neighbours(editions: Sequence[Edition], persona: Persona) -> tuple[str, str]:
    """Return the keys of the editions before and after the one that is looked at."""
    keys = [one.key for one in editions]
    at = keys.index(persona.which) if persona.which in keys else -1
    before = keys[at - 1] if at > 0 else ""
    after = keys[at + 1] if at + 1 < len(keys) else ""
    return before, after


def falls_back(head: IssueView) -> int:
    """Return how many editions lack the story that the issue's own subject promises."""
    if not head.forecast:
        return 0
    readers = [(one.edition, one.readers) for one in head.forecast.editions]
    return len(promise_of(head.forecast.issue, readers).fallbacks)


def when_it_leaves(visit: Visit, on: date) -> Markup:
    """Return when an approved issue leaves; past its hour, at once."""
    hours, zone = hours_of(visit.here.timetable, on), visit.here.timetable.zone
    words = visit.services.pages.words
    if visit.now < hours.send:
        return words("approval.leaves_at", time=clock(hours.send, zone), place=place(zone))
    name = "leaves_at_once" if visit.now < hours.stale else "leaves_by_hand"
    shown = min(hours.stale, visit.now)
    return words(f"approval.{name}", time=clock(shown, zone), place=place(zone))


def four_eyes(visit: Visit, head: IssueView) -> str:
    """Return whose approval is needed besides one's own change; empty where one person suffices."""
    if visit.here.approval is not ApprovalPolicy.FOUR_EYES or not head.stored:
        return ""
    last = visit.services.archive.last_change(head.stored)
    words = visit.services.pages.words
    if last is None:
        return str(words("approval.four_eyes"))
    try:
        visit.services.publishing.refuse_own_change(visit.here, head.stored, visit.actor)
    except UndeclaredLogin as undeclared:
        return sentence(str(undeclared))
    except OwnChange:
        return str(words("approval.four_eyes_you"))
    return str(words("approval.four_eyes_other", who=last))


def own_change(visit: Visit, head: IssueView) -> bool:
    """Return whether this person changed the issue last, and another one must approve it."""
    if not head.stored:
        return False
    try:
        visit.services.publishing.refuse_own_change(visit.here, head.stored, visit.actor)
    except (OwnChange, UndeclaredLogin):
        return True
    return False


def approvers(visit: Visit) -> str:
    """Return who may approve here."""
    names = visit.services.who_may(Permission.APPROVE, visit.here.slug)
    return ", ".join(names) or str(visit.services.pages.words("fault.nobody"))
