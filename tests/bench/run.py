"""The whole run: every measurement once, and the figures made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench import floors, others
from tests.bench.intake import hear
from tests.bench.measure import machine, watch
from tests.bench.place import Place, approved_issue, import_list, opened, write_list
from tests.bench.report import Figure, against, rate
from tests.bench.sending import Sent, send
from tests.bench.sink import Sink, sink

_READERS = "recipients"
_BARE = "bare client"


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    readers: int
    fewer: int  #: readers of the smaller send, which shows how the cost grows
    events: int
    posted: int  #: recipients of each bare send
    naive: int  #: readers of the loop that does everything anew for each

    @classmethod
    def of(cls, readers: int) -> "Sizes":
        """Return the sizes of a run with so many readers."""
        return cls(
            readers=readers,
            fewer=max(1, min(readers // 10, 100_000)),
            events=min(readers, 50_000),
            posted=min(max(readers, 1000), 200_000),
            naive=20 if readers >= 10_000 else 3,
        )


@dataclass(frozen=True)
class Bench:
    """What every measurement works with."""

    place: Place
    sink: Sink
    sizes: Sizes
    tell: Callable[[str], None]


def run(sizes: Sizes, tell: Callable[[str], None]) -> tuple[dict[str, str], list[Figure]]:
    """Measure everything; return facts about the machine, and the figures."""
    with sink() as drain, opened(drain.url) as place:
        bench = Bench(place, drain, sizes, tell)
        figures = [*_importing(bench), *_sending(bench), *_hearing(bench)]
        with place.house("many") as house:
            return machine(house.engine), figures


def _importing(bench: Bench) -> Iterator[Figure]:
    readers, place = bench.sizes.readers, bench.place
    bench.tell(f"importing {readers:,} rows")
    path = write_list(place.folder / "many.csv", readers)
    bare = floors.copy_list(place, path)
    place.create("many")
    with place.house("many") as house:
        house.subscriptions  # noqa: B018  # the tables are made before the watch runs
        with watch() as importing:
            assert import_list(house, path) == readers
    copied = rate("bare COPY of the list", readers, bare, "rows")
    yield copied
    imported = rate("import of the list", readers, importing.seconds, "rows")
    yield against(imported, importing.seconds / bare, "the COPY's time", "≤ 5")


def _sending(bench: Bench) -> Iterator[Figure]:
    place, sizes = bench.place, bench.sizes
    bench.tell("setting the issue, and the same for a tenth of the readers")
    compiles = _set_issues(bench)
    for copy in ("one", "two"):
        place.create(copy, "many")
    bench.tell(f"sending to {sizes.fewer:,}, one worker")
    few = send(place, "few", bench.sink, workers=1, readers=sizes.fewer)
    bench.tell(f"sending to {sizes.readers:,}, one worker")
    one = send(place, "one", bench.sink, workers=1, readers=sizes.readers)
    bench.tell(f"sending to {sizes.readers:,}, two workers")
    two = send(place, "two", bench.sink, workers=2, readers=sizes.readers)
    bench.tell("the bare client, and other ways to send")
    bare, same = _bare(bench, one)
    yield from (bare, same)
    yield from _sent_figures(few, one, two, bare, same)
    yield from _counted(compiles, one, two)
    yield from _others(bench, two, bare)


def _set_issues(bench: Bench) -> tuple[int, int]:
    """Approve an issue in both databases; return MJML compiles and inlinings of the larger."""
    place = bench.place
    place.create("few")
    with place.house("few") as house:
        import_list(house, write_list(place.folder / "few.csv", bench.sizes.fewer))
        approved_issue(house)
    with place.house("many") as house:
        approved_issue(house)
        return house.renderer.compiles, house.renderer.inlinings


def _bare(bench: Bench, sent: Sent) -> tuple[Figure, Figure]:
    """Post ready bodies: 1,000 recipients in each, and as many in each as our own send had."""
    with bench.place.house("many") as house:
        envelope, letter = floors.whole_letter(house, approved_issue(house))
    own = max(1, round(sent.readers / sent.sink.requests))
    found = [
        floors.post(bench.sink, envelope, letter, size=size, readers=readers)
        for size, readers in ((1000, bench.sizes.posted), (own, own * min(1000, 2047)))
    ]
    names = (f"{_BARE}, 1,000 a request", f"{_BARE}, {own:,} a request as ours")
    first, second = (
        Figure(name, speed, f"{_READERS}/s") for name, speed in zip(names, found, strict=True)
    )
    return first, second


def _sent_figures(few: Sent, one: Sent, two: Sent, bare: Figure, same: Figure) -> Iterator[Figure]:
    for sent in (few, one):
        name = f"plan of {sent.readers:,}, {sent.editions:,} editions"
        yield rate(name, sent.readers, sent.plan_seconds, _READERS)
        yield rate(
            f"jobs for its {sent.sink.requests:,} batches",
            sent.sink.requests,
            sent.enqueue_seconds,
            "jobs",
        )
    for name, sent in (("one worker", one), ("two workers", two)):
        whole = rate(f"send, plan to recorded, {name}", sent.readers, sent.seconds, _READERS)
        yield against(whole, whole.value / bare.value, _BARE, "≥ 0.5")
        yield against(whole, whole.value / same.value, f"{_BARE}, requests as ours")
    growth = one.seconds / few.seconds
    times = one.readers / few.readers
    longer = Figure(f"send of {one.readers:,}, one worker", one.seconds, "s")
    yield against(longer, growth, f"that of {few.readers:,}", f"≤ {1.05 * times:.1f}")
    yield Figure("send, two workers", two.seconds, "s")


def _counted(compiles: tuple[int, int], one: Sent, two: Sent) -> Iterator[Figure]:
    for name, made, sent in zip(
        ("MJML compiles", "premailer passes"),
        compiles,
        (one.compiles + two.compiles, one.inlinings + two.inlinings),
        strict=True,
    ):
        yield Figure(f"{name} for {one.editions:,} editions", made + sent, "", wanted="1")
    worker = max(one.worker_megabytes, two.worker_megabytes)
    yield Figure("peak memory of a worker", worker, "MB", wanted="≤ 150")
    yield Figure("peak memory of the planner", two.planner_megabytes, "MB")


def _others(bench: Bench, two: Sent, bare: Figure) -> Iterator[Figure]:
    with bench.place.house("many") as house:
        filed = approved_issue(house)
        naive = others.naive(house, filed, readers=bench.sizes.naive)
        name = f"naive loop, over {bench.sizes.naive} readers"
        loop = Figure(name, naive, f"{_READERS}/s")
        yield against(loop, naive / bare.value, _BARE)
        ours = two.readers / two.seconds
        yield against(
            Figure("  its time for them all", two.readers / naive, "s"), ours / naive, "our send's"
        )
        batch = others.anymail(house, filed, bench.sink, readers=bench.sizes.posted)
    if batch is None:
        bench.tell("django-anymail is not installed in build/bench: left out")
        return
    yield against(
        Figure("django-anymail, 1,000 a message", batch, f"{_READERS}/s"), batch / bare.value, _BARE
    )


def _hearing(bench: Bench) -> Iterator[Figure]:
    bench.tell(f"hearing {bench.sizes.events:,} events, by the service and over HTTP")
    heard = hear(bench.place, "two", events=bench.sizes.events)
    yield rate("bare COPY of events, 1,000 a commit", heard.events, heard.copy_seconds, "events")
    for name, seconds in (("service", heard.service_seconds), ("HTTP", heard.http_seconds)):
        figure = rate(f"event intake, by {name}", heard.events, seconds, "events")
        yield against(figure, heard.copy_seconds / seconds, "the COPY", "≥ 20,000 a second")
