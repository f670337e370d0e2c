"""A house with a clock of its own: time passes in steps, and batches wait for their moments."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, text

from newsletter.core.operator_alert import Notice
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueState
from newsletter.services.schedule import Calendar
from newsletter.stores.schedule import Watches
from tests.fakes import FakeClock, FakeQueue
from tests.house import TECHNOLOGY, TestHouse, open_house


class PatientQueue(FakeQueue):
    """A queue whose worker takes a job no sooner than it was asked to."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock

    def work(self, *, until_empty: bool) -> None:
        assert until_empty
        now = self.clock.now()
        for batch_id in [one for one, at in self.jobs.items() if at is None or at <= now]:
            del self.jobs[batch_id]
            self.send_batches([batch_id])


@dataclass
class Clockwork:
    """A house, its calendar, and what operators were told."""

    house: TestHouse
    calendar: Calendar
    told: list[Notice]
    arriving: list[str]  #: topics of the briefs that the sources have, once they are asked

    @property
    def newsletter(self) -> Newsletter:
        return self.house.newsletter

    def tick(self) -> None:
        """Ask once, as the leading scheduler does, and let the workers work."""
        self.calendar.keep(self.newsletter)
        self.calendar.tell()
        self.house.queue.work(until_empty=True)

    def run(self, until: datetime, *, step: timedelta = timedelta(minutes=10)) -> None:
        """Let time pass, asking at every step."""
        clock = self.house.clock
        while clock.time < until:
            clock.time = min(clock.time + step, until)
            self.tick()

    def state(self, on: date) -> IssueState | None:
        filed = self.house.issues.find(self.newsletter.slug, on)
        return filed.state if filed else None

    def states(self) -> dict[int, str]:
        """Return the state of every issue on file, by the day of the month."""
        with self.house.engine.begin() as connection:
            rows = connection.execute(text("SELECT date, state FROM issue ORDER BY date"))
            return {row.date.day: row.state for row in rows}

    def notices(self) -> list[tuple[int, str]]:
        return [(notice.date.day, notice.kind.value) for notice in self.told]

    def sent(self) -> Iterator[tuple[date, list[str]]]:
        """Yield the date of the issue and the readers of every request."""
        for _, _, claim in self.house.mailer.asked:
            filed = self.house.issues.get(claim.issue_id)
            yield filed.issue.date, sorted(one.email for one in claim.recipients)


def open_clockwork(
    engine: Engine, now: datetime, newsletter: Newsletter = TECHNOLOGY, **timetable: object
) -> Clockwork:
    """Open a house at this moment, its newsletter's timetable changed as said."""
    changed = replace(newsletter.timetable, **timetable)  # type: ignore[arg-type]
    house = open_house(engine, replace(newsletter, timetable=changed))
    house.clock.time = now
    house.queue = house.dispatch._queue = PatientQueue(house.clock)
    house.queue.send_batches = house.dispatch.send_batches
    return enter(house)


def enter(house: TestHouse) -> Clockwork:
    """Start a clock in a house, as a process does: what it knows is on file."""
    told: list[Notice] = []
    arriving: list[str] = []
    calendar = Calendar(
        publishing=house.publishing,
        dispatch=house.dispatch,
        gather=lambda _: house.receive(*arriving),
        book=Watches(house.engine),
        notify=told.append,
        clock=house.clock,
    )
    return Clockwork(house, calendar, told, arriving)
