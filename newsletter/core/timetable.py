"""Timetable: what is due when, whatever the clocks of a zone do.

All is asked of the state of things, and nothing of a trigger: whoever asks late, twice or after a
crash gets the answer that is right then.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.publication import Timetable, Weekday
from newsletter.core.stored import IssueStatus

LOOK_BACK = timedelta(days=31)  #: days missed longer ago are history, and no news

_DAY = timedelta(days=1)
#: Nothing of these is the clock's any more.
_OUT_OF_HAND = {IssueStatus.SENDING, IssueStatus.PAUSED, IssueStatus.SENT, IssueStatus.MISSED}


@dataclass(frozen=True)
class Assemble:
    """The cut-off has come: the day's accepted briefs are to be set."""

    on: date


@dataclass(frozen=True)
class Send:
    """The hour has come, or is not long gone: the issue is to leave."""

    on: date


@dataclass(frozen=True)
class Miss:
    """The issue is no longer fresh, and did not leave: the day is to be named."""

    on: date
    reason: str


Action = Assemble | Send | Miss


@dataclass(frozen=True, kw_only=True)
class ScheduledIssueStatus:
    """How the issue of one date stands."""

    state: IssueStatus
    told: frozenset[OperatorAlertKind] = frozenset()  #: what operators were told of it


@dataclass(frozen=True, kw_only=True)
class ScheduleCursor:
    """What the clock has seen of one newsletter's time."""

    began: datetime  #: an hour that struck before was not the clock's to keep
    until: datetime  #: all that was due until then is done


@dataclass(frozen=True, kw_only=True)
class Hours:
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

    A zone that is no longer known is read as the newsletter's own, so that nobody is forgotten.
    """
    try:
        return moment(on, timetable.send_at, zone)
    except (KeyError, ValueError, OSError):
        return moment(on, timetable.send_at, timetable.zone)


def hours_of(timetable: Timetable, on: date) -> Hours:
    """Return the moments of the issue of a date."""
    send = moment(on, timetable.send_at, timetable.zone)
    return Hours(
        cut_off=moment(on, timetable.assemble_at, timetable.zone),
        send=send,
        stale=send + timedelta(hours=timetable.catch_up_hours),
    )


def appears_on(timetable: Timetable, on: date) -> bool:
    """Tell whether there is an issue of this date."""
    return tuple(Weekday)[on.weekday()] in timetable.days and on not in timetable.holidays


def due(
    timetable: Timetable,
    watch: ScheduleCursor,
    now: datetime,
    on_file: Mapping[date, ScheduledIssueStatus],
) -> tuple[Action, ...]:
    """Return what should happen now, the oldest date first.

    `on_file` need not reach back further than `first_date`.
    """
    last = _date_there(timetable, now) + _DAY
    actions = (
        _due_on(timetable, on, watch, now, on_file.get(on))
        for on in _dates(first_date(timetable, watch, now), last)
        if appears_on(timetable, on)
    )
    return tuple(action for action in actions if action)


def takes_briefs(action: Action, on_file: Mapping[date, ScheduledIssueStatus]) -> bool:
    """Tell whether an issue is about to take the briefs that are there."""
    standing = on_file.get(action.on)
    return not isinstance(action, Miss) and (standing is None or standing.state.is_open)


def first_date(timetable: Timetable, watch: ScheduleCursor, now: datetime) -> date:
    """Return the oldest date of which something can be due."""
    fresh = min(watch.until, now) - timedelta(hours=timetable.catch_up_hours)
    return max(_date_there(timetable, fresh) - _DAY, _date_there(timetable, now - LOOK_BACK))


def _due_on(
    timetable: Timetable,
    on: date,
    watch: ScheduleCursor,
    now: datetime,
    standing: ScheduledIssueStatus | None,
) -> Action | None:
    hours = hours_of(timetable, on)
    if now < hours.cut_off or hours.send <= watch.began:
        return None
    if standing and standing.state in _OUT_OF_HAND:
        return None
    if now >= hours.stale:
        named = hours.stale <= watch.until or _told_empty(standing)
        return None if named else Miss(on, _why_missed(timetable, standing))
    if now >= hours.send:
        return None if _waits(standing) else Send(on)
    if standing and standing.state is IssueStatus.APPROVED:
        # Batches in reader time wait for their own moments; some readers' hour may be here first.
        return Send(on) if timetable.reader_time else None
    return Assemble(on) if standing is None or watch.until < hours.cut_off else None


def _told_empty(standing: ScheduledIssueStatus | None) -> bool:
    return bool(
        standing
        and standing.state is IssueStatus.EMPTY
        and OperatorAlertKind.EMPTY_DAY in standing.told
    )


def _waits(standing: ScheduledIssueStatus | None) -> bool:
    """Tell whether the hour struck for it already, and what comes next is up to people."""
    return _told_empty(standing) or bool(
        standing
        and standing.state is IssueStatus.DRAFT
        and OperatorAlertKind.UNAPPROVED in standing.told
    )


def _why_missed(timetable: Timetable, standing: ScheduledIssueStatus | None) -> str:
    fresh = f"within {timetable.catch_up_hours} hours of {timetable.send_at} {timetable.zone}"
    match standing and standing.state:
        case IssueStatus.DRAFT:
            return f"it was not approved {fresh}"
        case IssueStatus.APPROVED:
            return f"it was approved, and could not be sent {fresh}"
        case _:
            return f"nothing could be sent {fresh}"


def _date_there(timetable: Timetable, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(timetable.zone)).date()


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
