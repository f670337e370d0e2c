"""Days on which a newsletter makes no issue, because a person said so."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from newsletter.core.publication import Newsletter, day_of
from newsletter.core.reason import given
from newsletter.core.timetable import SkippedDay, appears_on
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.services.publishing import Publishing
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore


@dataclass(eq=False)
class SkippedDays:
    """Skips single days of a newsletter's timetable: no issue is made, and none is missed."""

    publishing: Publishing
    schedule: ScheduleStore
    issues: IssueStore
    decisions: DecisionLog
    clock: Clock

    def since(self, newsletter: Newsletter, day: date) -> Mapping[date, SkippedDay]:
        """Return the days skipped since a date."""
        return self.schedule.skipped_since(newsletter.slug, day)

    def skip(self, newsletter: Newsletter, day: date, *, because: str, actor: str) -> SkippedDay:
        """Skip a day; NotAllowed without a reason, for a past day, or once its issue is planned.

        What was set is set aside: nobody approves or sends it, and its stories are free for the
        next issue. How it was arranged is kept, for the case that the day is not skipped after all.
        """
        because = given(because)
        self._check(newsletter, day)
        skipped = SkippedDay(by=actor, at=self.clock.now(), because=because)
        if self.schedule.skip(newsletter.slug, day, skipped):
            self._record(newsletter, day, actor, "skip", because)
        return self.since(newsletter, day)[day]

    def unskip(self, newsletter: Newsletter, day: date, *, actor: str) -> bool:
        """Let a skipped day have its issue again; False if it was not skipped.

        An issue that was set aside is assembled again, as it was arranged.
        """
        if not self.schedule.unskip(newsletter.slug, day):
            return False
        self._record(newsletter, day, actor, "unskip", "")
        stored = self.issues.find(newsletter.slug, day)
        if stored and stored.state.is_open:
            with suppress(NotAllowed):  # a day that is still to come is assembled when it is there
                self.publishing.assemble(newsletter, day)
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
