"""What is next for a newsletter's day, for the person who looks at it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.publication import Timetable
from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import ScheduledIssue, appears_on, hours_of

_DAY = timedelta(days=1)
_WEEK = 7  #: days
_FAR = 60  #: days ahead in which the next issue is looked for


class NextStep(StrEnum):
    """What can be done next about a day's issue; one thing at a time."""

    REST = "rest"  #: none is made that day
    GATHER = "gather"  #: its briefs are still coming
    ASSEMBLE = "assemble"  #: the cut-off has passed, and nothing is set
    APPROVE = "approve"  #: look at the draft and approve it
    WAIT = "wait"  #: approved; it can be taken back until it leaves
    STOP = "stop"  #: it is being sent, and can be stopped
    CONTINUE = "continue"  #: it is stopped, and can go on
    READ_RESULTS = "read results"  #: it was sent


_BY_STATE = {
    IssueStatus.DRAFT: NextStep.APPROVE,
    IssueStatus.APPROVED: NextStep.WAIT,
    IssueStatus.SENDING: NextStep.STOP,
    IssueStatus.PAUSED: NextStep.CONTINUE,
    IssueStatus.SENT: NextStep.READ_RESULTS,
    IssueStatus.CANCELLED: NextStep.READ_RESULTS,
}


#: The states of an issue that has not begun to leave.
_UNPLANNED = {None, IssueStatus.EMPTY, IssueStatus.DRAFT, IssueStatus.APPROVED, IssueStatus.MISSED}


def next_step(
    timetable: Timetable,
    on: date,
    now: datetime,
    state: IssueStatus | None,
    *,
    skipped: bool = False,
) -> NextStep:
    """Return what is next for the issue of a date, whose state is None until it is assembled.

    On a day that a person skips nothing is, unless its issue has begun to leave.
    """
    if skipped and state in _UNPLANNED:
        return NextStep.REST
    if state is not None and state in _BY_STATE:
        return _BY_STATE[state]
    if not appears_on(timetable, on) and state is None:
        return NextStep.REST
    if now < hours_of(timetable, on).cut_off:
        return NextStep.GATHER
    return NextStep.ASSEMBLE


@dataclass(frozen=True, kw_only=True)
class DayOfWeek:
    """A day of the week that contains today, and its issue."""

    on: date
    is_due: bool  #: the timetable has an issue that day
    state: IssueStatus | None  #: of its issue; None: there is none yet


def days_of_week(
    timetable: Timetable, today: date, issues: Mapping[date, ScheduledIssue]
) -> Iterator[DayOfWeek]:
    """Yield the days from Monday to Sunday."""
    monday = today - today.weekday() * _DAY
    for on in (monday + n * _DAY for n in range(_WEEK)):
        issue = issues.get(on)
        yield DayOfWeek(
            on=on, is_due=appears_on(timetable, on), state=issue.state if issue else None
        )


def next_date(timetable: Timetable, after: date) -> date | None:
    """Return the next date with an issue; None if there is none within two months."""
    days = (after + n * _DAY for n in range(1, _FAR + 1))
    return next((on for on in days if appears_on(timetable, on)), None)
