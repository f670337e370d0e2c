"""Timetable: what is due when, whatever the clocks of a zone do.

The answer depends on what is stored, never on a trigger: asked late, twice or after a crash, it is
right then. See docs/decisions/no-trigger-per-hour.md.
"""

from bisect import bisect_left
from calendar import day_name
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.publication import Timetable, Weekday, day_of
from newsletter.core.stored import IssueStatus

LOOK_BACK = timedelta(days=31)  #: days missed longer ago are not reported

_DAY = timedelta(days=1)
#: The schedule has nothing more to do for these.
_DONE = {IssueStatus.SENDING, IssueStatus.PAUSED, IssueStatus.SENT, IssueStatus.MISSED}
#: How operators know that an issue in such a state was not sent.
_ALERTS = {
    IssueStatus.EMPTY: OperatorAlertKind.EMPTY_DAY,
    IssueStatus.DRAFT: OperatorAlertKind.UNAPPROVED,
}


@dataclass(frozen=True)
class Assemble:
    """The cut-off has passed: set the day's accepted briefs."""

    on: date


@dataclass(frozen=True)
class Send:
    """The send time has passed, not too long ago: send the issue."""

    on: date


@dataclass(frozen=True)
class Miss:
    """The issue is no longer fresh and was not sent: record the day as missed."""

    on: date
    reason: str


Action = Assemble | Send | Miss


@dataclass(frozen=True, kw_only=True)
class ScheduledIssue:
    """What is stored of the issue of one date, as far as the schedule needs it."""

    state: IssueStatus
    alerted: frozenset[OperatorAlertKind] = frozenset()  #: the alerts about it so far


@dataclass(frozen=True, kw_only=True)
class SkippedDay:
    """A person's decision that a newsletter has no issue on a day."""

    by: str
    at: datetime
    because: str


@dataclass(frozen=True, kw_only=True)
class ScheduleCursor:
    """How far the schedule of one newsletter has come."""

    began: datetime  #: what was due before is not its business
    until: datetime  #: all that was due until then is done


@dataclass(frozen=True, kw_only=True)
class IssueHours:
    """The moments of one issue, in UTC."""

    cut_off: datetime
    send: datetime
    stale: datetime  #: from here on it is too late


def moment(on: date, at: time, zone: str) -> datetime:
    """Return, in UTC, the first moment at which the clocks of a zone show this time or a later one.

    An hour that a zone skips is thus the first moment after the gap; an hour that comes twice is
    the first of the two. Seconds are the smallest part.
    """
    there = ZoneInfo(zone)
    wanted = datetime.combine(on, at.replace(microsecond=0, tzinfo=None))

    def shown(instant: datetime) -> datetime:
        return instant.astimezone(there).replace(tzinfo=None)

    found = wanted.replace(tzinfo=there).astimezone(UTC)
    if shown(found) == wanted:
        return found
    before = wanted.replace(tzinfo=there, fold=1).astimezone(UTC)  # PEP 495: as if after the gap
    gap = range(int((found - before).total_seconds()))
    seconds = bisect_left(gap, wanted, key=lambda second: shown(before + timedelta(seconds=second)))
    return before + timedelta(seconds=seconds)


def wave_moment(timetable: Timetable, on: date, zone: str) -> datetime:
    """Return, in UTC, when readers of a zone get an issue: at the hour as their own clocks show it.

    A zone that is no longer known counts as the newsletter's own, so that nobody is left out.
    """
    try:
        return moment(on, timetable.send_at, zone)
    except (KeyError, ValueError, OSError):
        return moment(on, timetable.send_at, timetable.zone)


def hours_of(timetable: Timetable, on: date) -> IssueHours:
    send = moment(on, timetable.send_at, timetable.zone)
    return IssueHours(
        cut_off=moment(on, timetable.assemble_at, timetable.zone),
        send=send,
        stale=send + timedelta(hours=timetable.catch_up_hours),
    )


def without(timetable: Timetable, days: Iterable[date]) -> Timetable:
    """Return a timetable without these days, as if they were holidays."""
    return replace(timetable, holidays=tuple(sorted({*timetable.holidays, *days})))


def appears_on(timetable: Timetable, on: date) -> bool:
    return tuple(Weekday)[on.weekday()] in timetable.days and on not in timetable.holidays


def next_date(timetable: Timetable, after: date) -> date | None:
    """Return the next date with an issue, within three weeks; None if there is none."""
    days = (after + timedelta(days=ahead) for ahead in range(1, 22))
    return next((day for day in days if appears_on(timetable, day)), None)


def due(
    timetable: Timetable,
    cursor: ScheduleCursor,
    now: datetime,
    issues: Mapping[date, ScheduledIssue],
) -> tuple[Action, ...]:
    """Return what should happen now, the oldest date first.

    `issues` need not reach back further than `first_date`.
    """
    first = first_date(timetable, cursor, now)
    last = day_of(timetable, now) + _DAY
    dates = (first + n * _DAY for n in range((last - first).days + 1))
    actions = (
        _due_on(timetable, on, cursor, now, issues.get(on))
        for on in dates
        if appears_on(timetable, on)
    )
    return tuple(action for action in actions if action)


def takes_briefs(action: Action, issues: Mapping[date, ScheduledIssue]) -> bool:
    """Return whether an issue is about to take the briefs that are there."""
    issue = issues.get(action.on)
    return not isinstance(action, Miss) and (issue is None or issue.state.is_open)


def first_date(timetable: Timetable, cursor: ScheduleCursor, now: datetime) -> date:
    """Return the oldest date of which something can be due."""
    fresh = min(cursor.until, now) - timedelta(hours=timetable.catch_up_hours)
    return max(day_of(timetable, fresh) - _DAY, day_of(timetable, now - LOOK_BACK))


def _due_on(
    timetable: Timetable,
    on: date,
    cursor: ScheduleCursor,
    now: datetime,
    issue: ScheduledIssue | None,
) -> Action | None:
    hours = hours_of(timetable, on)
    if now < hours.cut_off or hours.send <= cursor.began:
        return None
    if issue and issue.state in _DONE:
        return None
    if now >= hours.stale:
        named = hours.stale <= cursor.until or _alerted(issue, IssueStatus.EMPTY)
        return None if named else Miss(on, _why_missed(timetable, issue))
    if now >= hours.send:
        known = _alerted(issue, IssueStatus.EMPTY, IssueStatus.DRAFT)
        return None if known else Send(on)
    if issue and issue.state is IssueStatus.APPROVED:
        # In reader time each batch has its own moment; some readers' may be here first.
        return Send(on) if timetable.reader_time else None
    return Assemble(on) if issue is None or cursor.until < hours.cut_off else None


def _alerted(issue: ScheduledIssue | None, *states: IssueStatus) -> bool:
    """Return whether operators know that it is in one of these states: the rest is up to them."""
    return bool(issue and issue.state in states and _ALERTS[issue.state] in issue.alerted)


def _why_missed(timetable: Timetable, issue: ScheduledIssue | None) -> str:
    fresh = f"within {timetable.catch_up_hours} hours of {timetable.send_at} {timetable.zone}"
    match issue and issue.state:
        case IssueStatus.DRAFT:
            return f"it was not approved {fresh}"
        case IssueStatus.APPROVED:
            return f"it was approved, and could not be sent {fresh}"
        case _:
            return f"nothing could be sent {fresh}"


def rhythm(timetable: Timetable) -> str:
    """Return how often a letter comes, for who is about to sign up."""
    place = timetable.zone.rpartition("/")[2].replace("_", " ")
    where = "by your own clock" if timetable.reader_time else f"in {place}"
    at = f"about {timetable.send_at:%H:%M} {where}"
    chosen = [number for number, one in enumerate(Weekday) if one in timetable.days]
    if chosen == list(range(7)):
        return f"Every day, {at}"
    if chosen == list(range(5)):
        return f"Monday to Friday, {at}"
    return f"{_listed([f'{day_name[number]}s' for number in chosen])}, {at}"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
