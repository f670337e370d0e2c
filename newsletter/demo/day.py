"""One day's work: receive briefs, import subscribers, send the issue, await its events.

The sample subscribers have every topic choice and several time zones; a few rows are wrong.
"""

import csv
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import combinations, cycle
from pathlib import Path

from newsletter.adapters.sources.files import find_files, read_file
from newsletter.container import Container
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.demo.environment import DemoEnvironment
from newsletter.sandbox.server import Sandbox
from newsletter.services.receiving import Receipt
from subscribers.model import ImportReport, Suppression, SuppressionReason

_BRIEFS = Path(__file__).parent / "briefs"
_EVENTS_TIMEOUT = 120  #: seconds for the sandbox to post all its events

READERS = 2_000
LEFT = range(0, READERS, 97)  #: readers who unsubscribed before today
SUPPRESSED = range(50, READERS, 211)  #: readers whose address bounced before today

_ZONES = (
    "America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin",
    "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo",
)  # fmt: skip

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


def run_day(
    place: DemoEnvironment,
    newsletter: Newsletter,
    on_progress: OnProgress,
    *,
    briefs: slice = slice(None),
    actor: str | None = None,
) -> Day:
    """Do a day's work; running it again on the same day sends nothing twice.

    `briefs` says which of the sample are received; with an actor, they approve the issue.
    """
    container, sandbox = place.container, place.sandbox
    day = Day(on=day_of(newsletter.timetable, container.clock.now()))
    before = sandbox.stats()["requests"]
    with day.step("briefs"):
        day.receipts = receive(container, briefs)
    with day.step("subscribers"):
        day.imported = _subscribe(container, newsletter, place.folder / "subscribers.csv")
    with day.step("assemble and set"):
        day.issue = container.publishing.assemble(newsletter, day.on)
        if actor and day.issue.state is IssueStatus.DRAFT:
            day.issue = container.publishing.approve(newsletter, day.on, actor=actor)
    with day.step("plan"):
        day.issue = container.planning.hand_over(newsletter, day.on).issue
    with day.step("send"):
        if day.issue.state is IssueStatus.SENDING:
            day.issue = container.sending.work_on(day.issue, partial(on_progress, "sending"))
    with day.step("events"):
        _await_events(sandbox, on_progress)
    stats = sandbox.stats()
    day.totals = container.deliveries.totals(day.issue.id)
    day.requests, day.repeated = stats["requests"] - before, stats["repeated"]
    day.compiles, day.inlinings = container.renderer.compiles, container.renderer.inlinings
    return day


def receive(container: Container, which: slice = slice(None)) -> list[Receipt]:
    """Receive some of the sample briefs, in the order of their files."""
    sample = [(path, brief) for path in find_files([_BRIEFS]) for brief in read_file(path)]
    return [container.intake.receive(brief, place=path.name) for path, brief in sample[which]]


def _subscribe(container: Container, newsletter: Newsletter, path: Path) -> ImportReport:
    _write_readers(path, newsletter.topic_slugs)
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
    bounce = SuppressionReason.BOUNCE
    container.subscriptions.suppress(
        Suppression(email=address(number), reason=bounce, source="demo", since=now)
        for number in SUPPRESSED
    )
    return report


def address(number: int) -> str:
    """Return a sample reader's address; example.com takes no mail (RFC 2606, section 3)."""
    return f"reader-{number:04}@example.com"


def _write_readers(path: Path, topics: Sequence[str]) -> None:
    """Write the sample list, in the columns that `subscribers import` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "name", "topics", "timezone"))
        writer.writerows(_rows(topics))


def _rows(topics: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    choices = [";".join(c) for n in range(len(topics)) for c in combinations(topics, n)]
    for number, choice in zip(range(READERS), cycle(choices), strict=False):
        yield address(number), "", choice, _ZONES[number // 5 % len(_ZONES)]
    yield "not-an-address", "", "", "Europe/London"
    yield address(7).upper(), "", "", "Europe/London"
    yield "two..dots@example.com", "", "", "Europe/London"
    yield "nobody@example", "", "", "Europe/London"


def _await_events(sandbox: Sandbox, on_progress: OnProgress) -> None:
    deadline = time.monotonic() + _EVENTS_TIMEOUT
    total = sandbox.stats()["accepted_recipients"]
    while time.monotonic() < deadline:
        pending: int = sandbox.stats()["events"]["pending_recipients"]
        if not pending:
            return
        on_progress("receiving events", total - pending, total)
        time.sleep(0.25)
