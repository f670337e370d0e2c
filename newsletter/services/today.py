"""What a newsletter's day looks like now: its issue, its hours, and what waits for a person."""

from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.core.next_step import DayOfWeek, NextStep, days_of_week, next_date, next_step
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.stored import StoredBrief, StoredIssue
from newsletter.core.timetable import IssueHours, SkippedDay, hours_of, without
from newsletter.core.verification import Ruling
from newsletter.ports import Clock
from newsletter.services.archive import Archive
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class TodayOverview:
    """A newsletter's day, for the page that is seen first."""

    on: date
    step: NextStep
    stored: StoredIssue | None
    hours: IssueHours
    received: tuple[StoredBrief, ...]  #: since the day before began
    skipped: SkippedDay | None  #: a person said that it has no issue
    held: tuple[StoredBrief, ...]  #: of them, those that wait for a person
    week: tuple[DayOfWeek, ...]
    next_on: date | None  #: the next date with an issue, after this one
    previous: StoredIssue | None  #: the last issue before this one that was planned


@dataclass(eq=False)
class TodayOverviews:
    """Gathers it; nothing is written, and no delivery is read."""

    archive: Archive
    issues: IssueStore
    schedule: ScheduleStore
    clock: Clock

    def of(self, newsletter: Newsletter) -> TodayOverview:
        """Return the overview of the day it is where the newsletter is made."""
        now = self.clock.now()
        on = day_of(newsletter.timetable, now)
        stored = self.issues.find(newsletter.slug, on)
        received = self.archive.received(newsletter, on - _DAY, on)
        monday = on - timedelta(days=on.weekday())
        issues = self.schedule.issues_since(newsletter.slug, monday)
        skipped = self.schedule.skipped_since(newsletter.slug, monday)
        timetable = without(newsletter.timetable, skipped)
        return TodayOverview(
            on=on,
            step=next_step(
                timetable, on, now, stored.state if stored else None, skipped=on in skipped
            ),
            skipped=skipped.get(on),
            stored=stored,
            hours=hours_of(newsletter.timetable, on),
            received=received,
            held=tuple(one for one in received if one.ruling is Ruling.HELD),
            week=tuple(days_of_week(timetable, on, issues)),
            next_on=next_date(timetable, on),
            previous=self._previous(newsletter, on),
        )

    def held(self, newsletter: Newsletter, on: date) -> tuple[StoredBrief, ...]:
        """Return the briefs of a date and the day before that wait for a person."""
        received = self.archive.received(newsletter, on - _DAY, on)
        return tuple(one for one in received if one.ruling is Ruling.HELD)

    def _previous(self, newsletter: Newsletter, on: date) -> StoredIssue | None:
        sent = self.issues.published(newsletter.slug, limit=2)
        return next((one for one in sent if one.issue.date < on), None)
