"""One day's work: receive briefs, import subscribers, send the issue, await its events."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from newsletter.adapters.sources.files import find_files, read_file
from newsletter.container import Container
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.demo.readers import LEFT, SUPPRESSED, address, write_readers
from newsletter.sandbox.server import Sandbox
from newsletter.services.intake import Receipt
from subscribers.model import ImportReport, Suppression, SuppressionReason

_BRIEFS = Path(__file__).parent / "briefs"
_EVENTS_TIMEOUT = 120  #: seconds for the sandbox to post all its events

OnProgress = Callable[[str, int, int], None]  #: a step's name, done, total


@dataclass
class Day:
    """The results of a day, step by step."""

    on: date
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    imported: ImportReport | None = None
    issue: StoredIssue | None = None
    totals: IssueTotals | None = None
    requests: int = 0  #: mail/send requests of this run
    repeated: int = 0  #: addresses the sandbox accepted twice for one issue
    compiles: int = 0
    inlinings: int = 0
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Time a step."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - start

    @property
    def rulings(self) -> dict[str, int]:
        """Count the briefs by their ruling."""
        return dict(Counter(receipt.stored.ruling.value for receipt in self.receipts))


def run_day(
    container: Container,
    newsletter: Newsletter,
    sandbox: Sandbox,
    folder: Path,
    on_progress: OnProgress,
) -> Day:
    """Do a day's work; running it again on the same day sends nothing twice."""
    day = Day(on=day_of(newsletter, container.clock.now()))
    before = sandbox.stats()["requests"]
    with day.step("briefs"):
        day.receipts = list(_receive(container))
    with day.step("subscribers"):
        day.imported = _subscribe(container, newsletter, folder / "subscribers.csv")
    with day.step("assemble and set"):
        day.issue = container.publishing.assemble(newsletter, day.on)
    with day.step("plan"):
        day.issue = container.planning.hand_over(newsletter, day.on)
    with day.step("send"):
        if day.issue.state is IssueStatus.SENDING:
            day.issue = container.sending.work_on(
                day.issue, lambda done, total: on_progress("sending", done, total)
            )
    with day.step("events"):
        _await_events(sandbox, on_progress)
    stats = sandbox.stats()
    day.totals = container.explaining.totals(day.issue)
    day.requests, day.repeated = stats["requests"] - before, stats["repeated"]
    day.compiles, day.inlinings = container.renderer.compiles, container.renderer.inlinings
    return day


def _receive(container: Container) -> Iterator[Receipt]:
    for path in find_files([_BRIEFS]):
        for brief in read_file(path):
            yield container.intake.receive(brief, place=path.name)


def _subscribe(container: Container, newsletter: Newsletter, path: Path) -> ImportReport:
    write_readers(path, newsletter.topic_slugs)
    now = container.clock.now()
    report = container.lists.import_list(
        path,
        newsletter.slug,
        known_topics=newsletter.topic_slugs,
        default_zone=newsletter.timetable.zone,
        consent_source="sample list of the demo",
        now=now,
    )
    left = [container.subscriptions.by_email(address(number))[0].id for number in LEFT]
    container.subscriptions.unsubscribe(left, now=now, source="demo")
    container.subscriptions.suppress(
        Suppression(
            email=address(number), reason=SuppressionReason.BOUNCE, source="demo", since=now
        )
        for number in SUPPRESSED
    )
    return report


def _await_events(sandbox: Sandbox, on_progress: OnProgress) -> None:
    deadline = time.monotonic() + _EVENTS_TIMEOUT
    total = sandbox.stats()["accepted_recipients"]
    while time.monotonic() < deadline:
        pending: int = sandbox.stats()["events"]["pending_recipients"]
        if not pending:
            return
        on_progress("receiving events", total - pending, total)
        time.sleep(0.25)
