"""The day itself: briefs and subscribers come in, the issue goes out, the events come back."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from newsletter.adapters.sources import find_files, read_file
from newsletter.bootstrap import House
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.demo.readers import LEFT, SUPPRESSED, address, write_readers
from newsletter.sandbox.server import Sandbox
from newsletter.services.intake import Receipt
from newsletter.services.publishing import day_of
from subscribers.model import ImportReport, Suppression, SuppressionReason

_BRIEFS = Path(__file__).parent / "briefs"
_EVENTS_PATIENCE = 120  #: seconds for the stand-in to post all its events

OnProgress = Callable[[str, int, int], None]  #: a step's name, done, total


@dataclass
class Day:
    """What a day came to, step by step."""

    on: date
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    imported: ImportReport | None = None
    filed: StoredIssue | None = None
    account: IssueTotals | None = None
    requests: int = 0  #: mail/send requests of this very run
    repeated: int = 0  #: addresses the stand-in accepted twice for one issue
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
        return dict(Counter(receipt.filed.ruling.value for receipt in self.receipts))


def run_day(
    house: House, newsletter: Newsletter, sandbox: Sandbox, folder: Path, on_progress: OnProgress
) -> Day:
    """Do a day's work; doing it again on the same day sends nobody anything twice."""
    day = Day(on=day_of(newsletter, house.clock.now()))
    before = sandbox.stats()["requests"]
    with day.step("briefs"):
        day.receipts = list(_receive(house))
    with day.step("subscribers"):
        day.imported = _subscribe(house, newsletter, folder / "subscribers.csv")
    with day.step("assemble and set"):
        day.filed = house.publishing.assemble(newsletter, day.on)
    with day.step("plan"):
        day.filed = house.dispatch.send(newsletter, day.on)
    with day.step("send"):
        if day.filed.state is IssueStatus.SENDING:
            day.filed = house.dispatch.work_on(
                day.filed, lambda done, total: on_progress("sending", done, total)
            )
    with day.step("events"):
        _await_events(sandbox, on_progress)
    stats = sandbox.stats()
    day.account = house.inquiry.account(day.filed)
    day.requests, day.repeated = stats["requests"] - before, stats["repeated"]
    day.compiles, day.inlinings = house.renderer.compiles, house.renderer.inlinings
    return day


def _receive(house: House) -> Iterator[Receipt]:
    for path in find_files([_BRIEFS]):
        for brief in read_file(path):
            yield house.intake.receive(brief, place=path.name)


def _subscribe(house: House, newsletter: Newsletter, path: Path) -> ImportReport:
    write_readers(path, newsletter.topic_slugs)
    now = house.clock.now()
    report = house.lists.import_list(
        path,
        newsletter.slug,
        known_topics=newsletter.topic_slugs,
        default_zone=newsletter.timetable.zone,
        consent_source="sample list of the demo",
        now=now,
    )
    left = [house.subscriptions.by_email(address(number))[0].id for number in LEFT]
    house.subscriptions.end(left, now=now, source="demo")
    house.subscriptions.suppress(
        Suppression(
            email=address(number), reason=SuppressionReason.BOUNCE, source="demo", since=now
        )
        for number in SUPPRESSED
    )
    return report


def _await_events(sandbox: Sandbox, on_progress: OnProgress) -> None:
    patience = time.monotonic() + _EVENTS_PATIENCE
    total = sandbox.stats()["accepted_recipients"]
    while (pending := _pending(sandbox.stats())) and time.monotonic() < patience:
        on_progress("hearing back", total - pending, total)
        time.sleep(0.25)


def _pending(stats: dict[str, Any]) -> int:
    return int(stats["events"]["pending_recipients"])
