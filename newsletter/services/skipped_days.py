"""Days on which a newsletter makes no issue, because a person said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from newsletter.core.publication import Newsletter, day_of
from newsletter.core.reason import given
from newsletter.core.timetable import SkippedDay, appears_on
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore


@dataclass(eq=False)
class SkippedDays:
    """Skips single days of a newsletter's timetable: no issue is made, and none is missed."""

    schedule: ScheduleStore
    issues: IssueStore
    decisions: DecisionLog
    clock: Clock

    def since(self, newsletter: Newsletter, day: date) -> Mapping[date, SkippedDay]:
        """Return the days skipped since a date."""
        return self.schedule.skipped_since(newsletter.slug, day)

    def skip(self, newsletter: Newsletter, day: date, *, because: str, actor: str) -> SkippedDay:
        """Skip a day; NotAllowed without a reason, for a past day, or once its issue is planned."""
        because = given(because)
        self._check(newsletter, day)
        skipped = SkippedDay(by=actor, at=self.clock.now(), because=because)
        if self.schedule.skip(newsletter.slug, day, skipped):
            self._record(newsletter, day, actor, "skip", because)
        return self.since(newsletter, day)[day]

    def unskip(self, newsletter: Newsletter, day: date, *, actor: str) -> bool:
        """Let a skipped day have its issue again; False if it was not skipped."""
        if not self.schedule.unskip(newsletter.slug, day):
            return False
        self._record(newsletter, day, actor, "unskip", "")
        return True

    def _check(self, newsletter: Newsletter, day: date) -> None:
        stored = self.issues.find(newsletter.slug, day)
        if stored and stored.planned_at:
            raise NotAllowed(f"{stored.summary}: it was planned, and is no day to skip")
        if day < day_of(newsletter.timetable, self.clock.now()):
            raise NotAllowed(f"{day} is over")
        if not appears_on(newsletter.timetable, day):
            raise NotAllowed(f"{newsletter.slug} has no issue on {day}")

    def _record(
        self, newsletter: Newsletter, day: date, actor: str, verb: str, because: str
    ) -> None:
        detail = {"because": because} if because else {}
        about, slug = f"day {newsletter.slug} {day}", newsletter.slug
        self.decisions.record(actor, about, verb, detail, newsletter=slug)
