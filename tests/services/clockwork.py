"""A service whose time passes in steps, and whose batches wait for their moments."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace

from sqlalchemy import Engine

from newsletter.core.operator_alert import OperatorAlert
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus
from newsletter.services.schedule import ScheduleRunner
from tests.container import TestContainer, open_container
from tests.fakes import FakeClock, FakeQueue
from tests.settings import TECHNOLOGY


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
    """A newsletter's schedule, and the operator alerts it caused."""

    container: TestContainer
    newsletter: Newsletter
    schedule: ScheduleRunner
    alerts: list[OperatorAlert]
    arriving: list[str]  #: topics of the briefs that the sources have, once they are polled

    def tick(self) -> None:
        """Run what is due once, as the leading scheduler does, and let the workers work."""
        self.schedule.run_due(self.newsletter)
        self.schedule.send_alerts()
        self.container.queue.work(until_empty=True)

    def run(self, until: datetime, *, step: timedelta = timedelta(minutes=10)) -> None:
        """Let time pass, with a tick at every step."""
        clock = self.container.clock
        while clock.time < until:
            clock.time = min(clock.time + step, until)
            self.tick()

    def state(self, on: date) -> IssueStatus | None:
        stored = self.container.issues.find(self.newsletter.slug, on)
        return stored.state if stored else None

    def states(self) -> dict[int, str]:
        """Return the state of every issue, by the day of the month."""
        rows = self.container.query("SELECT date, state FROM issue ORDER BY date")
        return {on.day: state for on, state in rows}

    def alert_days(self) -> list[tuple[int, str]]:
        return [(alert.date.day, alert.kind.value) for alert in self.alerts]

    def sent(self) -> Iterator[tuple[date, list[str]]]:
        """Yield the date of the issue and the readers of every request."""
        for _, _, claim in self.container.mailer.asked:
            stored = self.container.issues.get(claim.issue_id)
            yield stored.issue.date, sorted(one.email for one in claim.recipients)


def open_clockwork(
    engine: Engine,
    now: datetime,
    newsletter: Newsletter = TECHNOLOGY,
    *,
    batch_size: int = 3,
    **timetable: object,
) -> Clockwork:
    """Start a schedule at this moment, the newsletter's timetable changed as said."""
    changed = replace(newsletter.timetable, **timetable)  # type: ignore[arg-type]
    clock, newsletter = FakeClock(now), replace(newsletter, timetable=changed)
    doubles = {"clock": clock, "queue": PatientQueue(clock)}
    return start_clock(open_container(engine, newsletter, batch_size=batch_size, **doubles))


def start_clock(container: TestContainer, newsletter: Newsletter | None = None) -> Clockwork:
    """Start a schedule as a new process does, which knows what the database knows."""
    alerts: list[OperatorAlert] = []
    arriving: list[str] = []
    process = copy(container)
    process.polling = SimpleNamespace(
        poll_due=lambda _: process.receive(*arriving), poll_again=lambda *_: None
    )
    process.alerting = SimpleNamespace(deliver=alerts.append)
    vars(process).pop("schedule_runner", None)
    schedule = process.schedule_runner
    return Clockwork(process, newsletter or process.newsletter, schedule, alerts, arriving)
