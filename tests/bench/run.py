"""The whole run: every measurement once, and the figures from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from statistics import median

from tests.bench import baselines, others
from tests.bench.aging import compare_ages
from tests.bench.api import ask_api
from tests.bench.baselines import Posted
from tests.bench.bench import Bench, Sizes
from tests.bench.installation import approved_issue, opened, write_list
from tests.bench.intake import measure_intake
from tests.bench.lists import measure_import, write_export
from tests.bench.measure import machine
from tests.bench.mixed import measure_mixed
from tests.bench.pages import look_at_pages
from tests.bench.report import Figure, against, rate
from tests.bench.segments import count_segments
from tests.bench.sending import Sent, send
from tests.bench.sink import sink
from tests.bench.starting import command_seconds
from tests.bench.unsubscribing import measure_unsubscribes

_READERS = "recipients"
_BARE = "bare client"
_ONE_OPENER = "bare client with one opener"
_WITH_ONE_OPENER = "the bare client's, with one opener"
#: Where a page of the console has another one than the others.
_BUDGETS = {
    "its letter alone": "≤ 100 ms",
    "a search that reads all addresses": "≤ 200 ms",
    "its poll": "≤ 20 ms",
    "why somebody gets it": "≤ 100 ms",
}


def run(
    sizes: Sizes, log: Callable[[str], None], rows: Iterable[str] = ()
) -> tuple[dict[str, str], list[Figure]]:
    """Measure everything, or only these rows; return facts about the machine, and the figures."""
    chosen = set(rows) or set(ROWS)
    with sink() as drain, opened(drain.url, topics=sizes.topics) as installation:
        bench = Bench(installation, drain, sizes, log)
        bench.make_empty()
        figures = [one for name, made in ROWS.items() if name in chosen for one in made(bench)]
        with installation.container("empty") as container:
            return machine(container.engine), figures


def _importing(bench: Bench) -> Iterator[Figure]:
    for name, database in (("list", "many"), ("Mailchimp export", "moved")):
        yield from _imported(bench, name, database)
    bench.installation.drop("moved")


def _imported(bench: Bench, name: str, database: str) -> Iterator[Figure]:
    readers, installation = bench.sizes.readers, bench.installation
    bench.log(f"importing {readers:,} rows of a {name}")
    installation.create(database, "empty")
    path = installation.folder / f"{database}.csv"
    if database == "many":
        write_list(path, readers, installation.newsletter.topic_slugs)
    else:
        write_export(path, readers)
    times = measure_import(installation, database, path, readers=readers)
    path.unlink()
    yield rate(f"bare COPY of a {name}", readers, times.copy_seconds, "rows")
    imported = rate(f"import of a {name}", readers, times.seconds, "rows")
    yield against(imported, times.seconds / times.copy_seconds, "the COPY's time", "≤ 5")
    ready = baselines.insert_ready(installation, database)
    yield rate(f"ready rows of a {name} into the same tables", readers, ready.seconds, "rows")
    yield against(imported, times.seconds / ready.seconds, "the ready rows' time", "≤ 1.5")
    floor = "the ready rows' CPU"
    for whose, cpu in (("own", times.cpu), ("server's", times.server_cpu)):
        worked = Figure(f"{whose} CPU, import of a {name}", 1e6 * cpu / readers, "µs a row")
        yield against(worked, cpu / ready.cpu, floor)
    yield Figure(f"most memory, import of a {name}", times.megabytes, "MB", wanted="flat")


def _counting(bench: Bench) -> Iterator[Figure]:
    readers, many = bench.sizes.readers, bench.many()
    bench.log(f"counting segments of {readers:,}")
    with bench.installation.copied("segments", many) as database:
        counted = count_segments(bench.installation, database, readers=readers)
    name = f"segment count at {readers:,}"
    for which, value in (
        (f"the median of {counted.filters} filters", counted.median),
        (f"the slowest: {counted.slowest}", counted.worst),
    ):
        yield Figure(f"{name}, {which}", value, "ms", wanted="≤ 200")


def _looking(bench: Bench) -> Iterator[Figure]:
    readers = bench.sizes.readers
    template = bench.many()
    bench.log(f"looking at the console's pages with {readers:,} readers, and with none")
    with bench.installation.copied("pages-of-none", "empty") as database:
        none = look_at_pages(bench.installation, database)
    with bench.installation.copied("pages", template) as database:
        many = look_at_pages(bench.installation, database)
    for name, looks in many.pages.items():
        late, cpu = none.pages[name]
        page = Figure(f"console, {name}, 95 of 100 looks, counts kept", looks.late, "ms")
        yield against(
            page, looks.late / late, "that without readers", _BUDGETS.get(name, "≤ 150 ms")
        )
        yield against(Figure("  its CPU", looks.cpu, "ms"), looks.cpu / cpu, "that without readers")
    counted = Figure(f"forecast of {readers:,}, counted anew", many.forecast, "ms")
    yield against(counted, many.forecast / many.bare_count, "a bare count by topic set", "≤ 3")
    yield Figure("preview set", many.set, "ms")
    cut = Figure("preview cut", many.cut, "ms")
    yield against(cut, many.cut / many.set, "that set anew", "≤ 100 ms")


def _asking(bench: Bench) -> Iterator[Figure]:
    readers, template = bench.sizes.readers, bench.many()
    bench.log(f"asking the API with {readers:,} readers")
    with bench.installation.copied("asked", template) as database:
        asked = ask_api(bench.installation, database)
    yield Figure("500 briefs by the API", asked.received.seconds, "s", wanted="≤ 2")
    yield Figure("CPU of 500 briefs by the API, with the client", asked.received.cpu, "s")
    yield Figure("one brief by the API, the median", asked.read, "ms", wanted="≤ 20 ms")


def _sending(bench: Bench) -> Iterator[Figure]:
    compiles = bench.set_issue()
    bare = _Bare(bench)
    few, one = (_send(bench, bare, n) for n in (bench.few(), bench.copy_to_send("one")))
    two = _send(bench, bare, bench.copy_to_send("two"), workers=2)
    bench.log("the bare client, and other ways to send")
    size = max(1, round(one.readers / one.sink.requests))
    posted = size * min(1000, one.sink.requests)
    same, shared = bare.post(size, posted), bare.post(size, posted, bare=False)
    yield bare.figure
    yield from _planned(few, one)
    yield from _sent(one, two, bare.figure, (same, shared))
    yield from _grown(few, one, two)
    yield from _worked(one, shared)
    yield from _counted(compiles, one, two)
    yield from _others(bench, two, bare.figure)


def _send(bench: Bench, bare: "_Bare", database: str, *, workers: int = 1) -> Sent:
    readers = bench.sizes.fewer if database == "few" else bench.sizes.readers
    bare.ask()
    bench.log(f"sending to {readers:,}, workers: {workers}")
    sent = send(bench.installation, database, bench.sink, workers=workers, readers=readers)
    if workers == 1:  # what two workers sent is what events come for
        bench.installation.drop(database)
    return sent


class _Bare:
    """Measures the bare client between the other measurements, since the load may change."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._rates = bench, list[float]()
        with bench.installation.container("many") as container:
            self._content = baselines.whole_letter(container, approved_issue(container))

    def post(self, size: int, readers: int, *, bare: bool = True) -> Posted:
        return baselines.post(
            self._bench.sink, *self._content, size=size, readers=readers, bare=bare
        )

    def ask(self) -> None:
        posted = self.post(1000, self._bench.sizes.posted)
        self._rates.append(posted.recipients / posted.seconds)

    @property
    def figure(self) -> Figure:
        return Figure(f"{_BARE}, 1,000 a request", median(self._rates), f"{_READERS}/s")


def _planned(few: Sent, one: Sent) -> Iterator[Figure]:
    for sent in (few, one):
        name = f"plan of {sent.readers:,}, {sent.editions:,} editions"
        yield rate(name, sent.readers, sent.plan_seconds, _READERS)
        name = f"jobs for its {sent.sink.requests:,} batches"
        yield rate(name, sent.sink.requests, sent.enqueue_seconds, "jobs")


def _sent(one: Sent, two: Sent, bare: Figure, alike: tuple[Posted, Posted]) -> Iterator[Figure]:
    """Compare with the client as it is, with requests as large as ours, and with one opener."""
    floors = [bare]
    for client, posted in zip((_BARE, _ONE_OPENER), alike, strict=True):
        name = f"{client}, {posted.recipients // posted.requests:,} a request, as ours"
        floors.append(rate(name, posted.recipients, posted.seconds, _READERS))
    yield from floors[1:]
    for name, sent in (("one worker", one), ("two workers", two)):
        whole = rate(f"send, plan to recorded, {name}", sent.readers, sent.seconds, _READERS)
        for floor in floors:
            yield against(whole, whole.value / floor.value, floor.name, "≥ 0.5")


def _grown(few: Sent, one: Sent, two: Sent) -> Iterator[Figure]:
    growth, times = one.seconds / few.seconds, one.readers / few.readers
    longer = Figure(f"send of {one.readers:,}, one worker", one.seconds, "s")
    yield against(longer, growth, f"that of {few.readers:,}", f"≤ {1.05 * times:.1f}")
    yield Figure("the same, two workers", two.seconds, "s")


def _worked(one: Sent, same: Posted) -> Iterator[Figure]:
    """Compare work, which a busy machine changes less than it changes time."""
    worked = Figure("CPU of the worker, a request", 1000 * one.worker_cpu / one.sink.requests, "ms")
    yield against(worked, worked.value * same.requests / (1000 * same.cpu), _WITH_ONE_OPENER)
    whole = Figure(
        "CPU of the whole machine, a recipient", 1e6 * one.machine_cpu / one.readers, "µs"
    )
    yield against(whole, whole.value * same.recipients / (1e6 * same.machine), _WITH_ONE_OPENER)


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
    with bench.installation.container("many") as container:
        stored = approved_issue(container)
        naive = others.naive(container, stored, readers=bench.sizes.naive)
        name = f"naive loop, over {bench.sizes.naive} readers"
        loop = Figure(name, naive, f"{_READERS}/s")
        yield against(loop, naive / bare.value, _BARE)
        ours = two.readers / two.seconds
        yield against(
            Figure("  for everyone, extrapolated", two.readers / naive, "s"),
            ours / naive,
            "our send's",
        )
        batch = others.anymail(container, stored, bench.sink, readers=bench.sizes.posted)
    if batch is None:
        bench.log("django-anymail is not installed in build/bench: left out")
        return
    yield against(
        Figure("django-anymail, 1,000 a message", batch, f"{_READERS}/s"), batch / bare.value, _BARE
    )


def _receiving(bench: Bench) -> Iterator[Figure]:
    sent = bench.sent()
    bench.log(f"receiving {bench.sizes.events:,} events, by the service and over HTTP")
    times = measure_intake(bench.installation, sent, events=bench.sizes.events)
    bench.installation.drop(sent)
    yield rate("bare COPY of events, 1,000 a commit", times.events, times.copy_seconds, "events")
    for name, seconds in (("service", times.service_seconds), ("HTTP", times.http_seconds)):
        figure = rate(f"event intake, by {name}", times.events, seconds, "events")
        yield against(figure, times.copy_seconds / seconds, "the COPY", "≥ 20,000 a second")
    opens = rate("intake of first opens alone", times.opens, times.opens_seconds, "events")
    share = times.copy_seconds / times.events * times.opens / times.opens_seconds
    yield against(opens, share, "the COPY")


def _unsubscribing(bench: Bench) -> Iterator[Figure]:
    count, template = bench.sizes.unsubscribes, bench.many()
    bench.log(f"receiving {count:,} one-click unsubscribes over HTTP")
    with bench.installation.copied("leaving", template) as database:
        left = measure_unsubscribes(bench.installation, database, unsubscribes=count)
    unsubscribes = rate(
        "one-click unsubscribes, over HTTP", left.unsubscribes, left.seconds, "unsubscribes"
    )
    yield replace(unsubscribes, wanted="≥ 1,000")
    yield Figure("CPU of the server, an unsubscribe", 1000 * left.cpu / left.unsubscribes, "ms")


def _mixed(bench: Bench) -> Iterator[Figure]:
    seconds = bench.sizes.mixed_seconds
    template = bench.many()
    bench.log(f"unsubscribing for {seconds} s beside a send, imports, exports, events and pages")
    with bench.installation.copied("mixed", template) as database:
        mixed = measure_mixed(
            bench.installation, database, seconds=seconds, imported=bench.sizes.mixed_import
        )
    assert mixed.unanswered == 0, f"{mixed.unanswered} requests were not answered"
    for half, name in ((49, "half"), (94, "95 of 100")):
        left = Figure(f"one-click under mixed load, {name}", mixed.unsubscribes[half], "ms")
        ratio = mixed.unsubscribes[half] / mixed.pages[half]
        yield against(left, ratio, "a preference page's", "≤ 1")


def _starting(bench: Bench) -> Iterator[Figure]:
    bench.log("starting short commands")
    for arguments, wanted in ((["--help"], "≤ 0.3"), (["briefs", "list"], "≤ 0.5")):
        seconds = command_seconds(bench.installation, "empty", *arguments, runs=bench.sizes.starts)
        yield Figure(f"CPU of newsletter {' '.join(arguments)}", seconds, "s", wanted=wanted)


#: What can be measured alone: `make bench ROWS="import send"`.
ROWS: Mapping[str, Callable[[Bench], Iterable[Figure]]] = {
    "import": _importing,
    "segments": _counting,
    "pages": _looking,
    "api": _asking,
    "send": _sending,
    "events": _receiving,
    "unsubscribes": _unsubscribing,
    "mixed": _mixed,
    "history": compare_ages,
    "start": _starting,
}
