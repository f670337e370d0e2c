"""What an issue costs in a database that knows many, beside the same in one that knows none."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from sqlalchemy import text

from newsletter.container import Container
from newsletter.core.publication import day_of
from newsletter.core.stored import StoredIssue
from tests.bench.bench import Bench
from tests.bench.cost import Cost, cost_of, disk_bytes, vacuum, without_autovacuum
from tests.bench.history import let_go_of_oldest, make_history
from tests.bench.installation import SLUG, approved_issue
from tests.bench.intake import by_service, posts_of
from tests.bench.measure import stopwatch
from tests.bench.report import Figure, against
from tests.bench.sending import await_sent, running_workers

_LOOKS = 50  #: at a letter, and at a person, each another's
_TABLES = {"plan": "delivery", "event": "delivery_event"}  #: what each fills
_TURNS = 4  #: of events in each database
_LEFT_BEHIND = "delivery, delivery_event, batch, attempt"
_SOME_READERS = text("""
    SELECT subscriber.id, subscriber.email
      FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
     ORDER BY md5(subscriber.id::text) LIMIT :count
""")
#: What the aged database may cost more than the fresh one: in time, and in WAL.
_TIMES, _WAL = "≤ 1.15", "≤ 1.05"


def compare_ages(bench: Bench) -> Iterator[Figure]:
    """Plan, send, and receive events in both databases by turns; then look back.

    What the server else cleans up at moments of its own choice is done before, and measured after.
    """
    with without_autovacuum(bench.installation):
        yield from _compared(bench)


def _compared(bench: Bench) -> Iterator[Figure]:
    past, readers = bench.sizes.past, bench.sizes.past_readers
    template = bench.listed("past", readers)
    databases = [_Database(bench, "fresh"), _Database(bench, "aged")]
    for one in databases:
        bench.installation.create(one.name, template)
    bench.log(f"making a history of {past} issues to {readers:,}")
    make_history(bench.installation, "aged", past, readers)
    for one in databases:
        one.begin()
    for step in (_Database.plan, _Database.send):
        bench.log(f"{step.__name__} of {readers:,}, without a history and with it")
        yield from _written(step.__name__, *(step(one) for one in databases), past=past)
    bench.log(f"events of {readers:,}, without a history and with it")
    turns = [[one.events(turn) for one in databases] for turn in range(_TURNS)]
    fresh, aged = (sum(costs, Cost()) for costs in zip(*turns, strict=True))
    yield from _written("event", fresh, aged, past=past)
    yield from _written("vacuum", *(one.vacuum() for one in databases), past=past)
    for step in (_Database.sums, _Database.why, _Database.person, _Database.page):
        yield from _read(*(step(one) for one in databases), past=past)
    yield from _let_go(bench)
    for one in (*databases, template):
        bench.installation.drop(one if isinstance(one, str) else one.name)


def _written(step: str, fresh: Cost, aged: Cost, *, past: int) -> Iterator[Figure]:
    what = f"{step} of a letter" if step != "event" else "an event, by service"
    is_wanted = step != "vacuum"
    for name, unit, wanted in (
        ("seconds", "µs", _TIMES),
        ("cpu", "µs of the server's CPU", _TIMES),
        ("wal", "B of WAL", _WAL),
        ("pages", "pages", ""),
        ("disk", "B of disk", ""),
    ):
        before, after = getattr(fresh, name), getattr(aged, name)
        if before > 0 and after > 0:  # a small run takes less than a tick of the processors
            yield Figure(f"{what}, fresh", before, unit)
            figure = Figure(f"{what}, after {past} issues", after, unit)
            yield against(figure, after / before, "fresh", wanted if is_wanted else "")


def _read(fresh: "_Looked", aged: "_Looked", *, past: int) -> Iterator[Figure]:
    yield Figure(f"{fresh.what}, fresh", fresh.milliseconds, "ms")
    figure = Figure(f"{fresh.what}, after {past} issues", aged.milliseconds, "ms")
    yield against(figure, aged.milliseconds / fresh.milliseconds, "fresh")
    yield Figure(f"{fresh.what}, fresh", fresh.pages, "pages")
    figure = Figure(f"{fresh.what}, after {past} issues", aged.pages, "pages")
    yield against(figure, aged.pages / fresh.pages, "fresh")


def _let_go(bench: Bench) -> Iterator[Figure]:
    with bench.installation.container("aged") as container:
        gone, seconds, kept = let_go_of_oldest(container)
    name = f"letting go of {gone:,} letters, the oldest partition's"
    yield Figure(name, seconds, "s", wanted="≤ 1 for 4,000,000")
    yield Figure("  of that, keeping their issues' sums", kept, "s")


@dataclass(frozen=True)
class _Looked:
    """What one look back took, the median of some."""

    what: str
    milliseconds: float
    pages: float


class _Database:
    """One of both, and the steps that are measured on it."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench, self.name = bench, name

    def begin(self) -> None:
        with self.bench.installation.container(self.name) as container:
            approved_issue(container)
        vacuum(self.bench.installation, self.name)

    def plan(self) -> Cost:
        return self._cost(_plan, _TABLES["plan"])

    def send(self) -> Cost:
        def work(container: Container) -> float:
            with running_workers(self.bench.installation, self.name, 1):
                return _send(container)

        return self._cost(work)

    def events(self, turn: int) -> Cost:
        """Receive a share of them, since the machine may be slower for some seconds."""
        share = self.bench.sizes.past_readers // _TURNS
        after = turn * share
        with self.bench.installation.container(self.name) as container:
            posts = list(posts_of(container.engine, "delivered", count=share, after=after))

        def receive(container: Container) -> float:
            events, seconds = by_service(self.bench.installation, container, posts)
            assert events == share, f"{events} of {share}"
            return seconds

        return self._cost(receive, _TABLES["event"])

    def vacuum(self) -> Cost:
        """Clean up after the others, all at once; the server does that for several issues."""

        def work(_: Container) -> float:
            with stopwatch() as cleaning:
                vacuum(self.bench.installation, self.name, tables=_LEFT_BEHIND)
            return cleaning.seconds

        return self._cost(work)

    def sums(self) -> _Looked:
        def look(container: Container) -> list[float]:
            stored = _todays(container)
            return _milliseconds(lambda: container.deliveries.totals(stored.id), [()] * 5)

        return self._looked("sums of an issue", look)

    def why(self) -> _Looked:
        def look(container: Container) -> list[float]:
            newsletter = container.settings.newsletter(SLUG)
            stored = _todays(container)

            def explain(_: int, email: str) -> object:
                found = container.explaining.why(newsletter, email, stored.issue.date)
                assert found.record
                return found

            return _milliseconds(explain, _readers(container))

        return self._looked("why one got a letter", look)

    def person(self) -> _Looked:
        def look(container: Container) -> list[float]:
            def history(subscriber: int, _: str) -> object:
                return container.people.history(subscriber)

            return _milliseconds(history, _readers(container))

        return self._looked("history of a person", look)

    def page(self) -> _Looked:
        """Look at what the console shows of a person first."""

        def look(container: Container) -> list[float]:
            def latest(subscriber: int, _: str) -> object:
                return container.people.latest(subscriber, container.settings.newsletters)

            return _milliseconds(latest, _readers(container))

        return self._looked("latest history of a person", look)

    def _cost(self, work: Callable[[Container], float], table: str = "") -> Cost:
        """Return what a letter costs: the work returns the seconds of all."""
        installation, readers = self.bench.installation, self.bench.sizes.past_readers
        before = disk_bytes(installation, self.name, table) if table else 0
        with cost_of(installation, self.name) as cost, installation.container(self.name) as one:
            seconds = work(one)
        grown = disk_bytes(installation, self.name, table) - before if table else 0
        return Cost(
            seconds=1e6 * seconds / readers,
            cpu=1e6 * cost.cpu / readers,
            wal=cost.wal / readers,
            pages=cost.pages / readers,
            disk=grown / readers,
        )

    def _looked(self, what: str, look: Callable[[Container], list[float]]) -> _Looked:
        with (
            cost_of(self.bench.installation, self.name) as cost,
            self.bench.installation.container(self.name) as container,
        ):
            times = look(container)
        return _Looked(what, median(times), cost.pages / len(times))


def _todays(container: Container) -> StoredIssue:
    newsletter = container.settings.newsletter(SLUG)
    on = day_of(newsletter.timetable, container.clock.now())
    return container.publishing.issue(newsletter, on)


def _plan(container: Container) -> float:
    newsletter, stored = container.settings.newsletter(SLUG), _todays(container)
    with stopwatch() as planning:
        assert container.planning.plan(newsletter, stored)
    return planning.seconds


def _send(container: Container) -> float:
    newsletter, stored = container.settings.newsletter(SLUG), _todays(container)
    with stopwatch() as sending:
        container.planning.hand_over(newsletter, stored.issue.date)
        await_sent(container, stored)
    return sending.seconds


def _readers(container: Container) -> list[tuple[int, str]]:
    with container.engine.begin() as connection:
        found = connection.execute(_SOME_READERS, {"count": _LOOKS})
        return [(row.id, row.email) for row in found]


def _milliseconds(look: Callable[..., object], asked: Iterable[tuple[object, ...]]) -> list[float]:
    took: list[float] = []
    for one in asked:
        with stopwatch() as looking:
            look(*one)
        took.append(1000 * looking.seconds)
    return took
