"""What a newsletter's day looks like now: its issue, its hours, and what waits for a person."""

from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.core.next_step import DayOfWeek, NextStep, days_of_week, next_date, next_step
from newsletter.core.publication import Newsletter, day_of, span_of
from newsletter.core.stored import StoredBrief, StoredIssue
from newsletter.core.timetable import IssueHours, hours_of
from newsletter.core.verification import Ruling
from newsletter.ports import Clock
from newsletter.stores.briefs import BriefStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore

_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class TodayOverview:
    """A newsletter's day, for the page that is seen first."""

    on: date
    step: NextStep
    stored: StoredIssue | None
    hours: IssueHours
    received: tuple[StoredBrief, ...]  #: since the day before began
    held: tuple[StoredBrief, ...]  #: of them, those that wait for a person
    week: tuple[DayOfWeek, ...]
    next_on: date | None  #: the next date with an issue, after this one
    previous: StoredIssue | None  #: the last issue before this one that was planned


@dataclass(eq=False)
class TodayOverviews:
    """Gathers it; nothing is written, and no delivery is read."""

    briefs: BriefStore
    issues: IssueStore
    schedule: ScheduleStore
    clock: Clock

    def of(self, newsletter: Newsletter) -> TodayOverview:
        """Return the overview of the day it is where the newsletter is made."""
        now = self.clock.now()
        on = day_of(newsletter.timetable, now)
        stored = self.issues.find(newsletter.slug, on)
        received = self._received(newsletter, on)
        monday = on - timedelta(days=on.weekday())
        issues = self.schedule.issues_since(newsletter.slug, monday)
        return TodayOverview(
            on=on,
            step=next_step(newsletter.timetable, on, now, stored.state if stored else None),
            stored=stored,
            hours=hours_of(newsletter.timetable, on),
            received=received,
            held=tuple(one for one in received if one.ruling is Ruling.HELD),
            week=tuple(days_of_week(newsletter.timetable, on, issues)),
            next_on=next_date(newsletter.timetable, on),
            previous=self._previous(newsletter, on),
        )

    def _received(self, newsletter: Newsletter, on: date) -> tuple[StoredBrief, ...]:
        start, _ = span_of(newsletter, on - timedelta(days=1))
        _, end = span_of(newsletter, on)
        return self.briefs.on(start, end, newsletter.pillar)

    def _previous(self, newsletter: Newsletter, on: date) -> StoredIssue | None:
        sent = self.issues.published(newsletter.slug, limit=2)
        return next((one for one in sent if one.issue.date < on), None)
