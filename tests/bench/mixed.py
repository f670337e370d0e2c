"""One-click unsubscribes while all else goes on: a send, imports, exports, events, and pages.

Each request has its moment, whether or not those before it were answered, and its time counts from
that moment: a server that stands still is not spared the requests that wait for it.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from itertools import count
from statistics import quantiles
from threading import Event

from sqlalchemy import Engine

from newsletter.container import Container
from subscribers.model import Purpose
from subscribers.tokens import make_token
from tests.bench.installation import SLUG, Installation, approved_issue, write_list
from tests.bench.intake import post_events
from tests.bench.sending import running_workers
from tests.bench.unsubscribing import BODY, FORM, readers, served

_UNSUBSCRIBES = 150  #: a second
_PAGES = 30  #: a second
_PATIENCE = 1.6  #: seconds; so many clients of each kind that none is short before that

Reader = tuple[int, bytes]


@dataclass(frozen=True)
class MixedTimes:
    """Milliseconds by per cent of the requests, and what was not answered."""

    unsubscribes: Sequence[float]  #: index 49 is the median
    pages: Sequence[float]
    unanswered: int


@dataclass(frozen=True)
class _Answer:
    good: bool
    seconds: float  #: since its moment


def measure_mixed(
    installation: Installation, database: str, *, seconds: int, imported: int
) -> MixedTimes:
    """Unsubscribe readers, and show others their page, for so long."""
    with (
        installation.container(database) as container,
        served(installation, database) as (port, _),
        running_workers(installation, database, 2),
    ):
        asked = readers(container.engine, seconds * (_UNSUBSCRIBES + _PAGES))
        _send(container)
        with (
            _kept_busy(_loads(installation, database, container.engine, port, imported)),
            ThreadPoolExecutor() as pool,
        ):
            shown = pool.submit(_ask_all, partial(_page, port), asked[: seconds * _PAGES], _PAGES)
            leaving = asked[seconds * _PAGES :]
            left = _ask_all(partial(_unsubscribe, port), leaving, _UNSUBSCRIBES)
            answers = [*left, *shown.result()]
    return MixedTimes(
        unsubscribes=_milliseconds(left),
        pages=_milliseconds(shown.result()),
        unanswered=sum(not one.good for one in answers),
    )


def _send(container: Container) -> None:
    stored = approved_issue(container)
    assert container.planning.plan(container.settings.newsletter(SLUG), stored)
    container.planning.hand_over(container.settings.newsletter(SLUG), stored.issue.date)


def _loads(
    installation: Installation, database: str, engine: Engine, port: int, imported: int
) -> Iterator[Callable[[Event], None]]:
    path = installation.folder / "mixed.csv"
    write_list(path, imported, installation.newsletter.topic_slugs, domain="example.net")
    commands = (
        ("tests.bench.lists", str(path), "gives way"),
        ("newsletter", "subscribers", "export", "-"),
    )
    for command in commands:
        yield partial(_run_again, command=command, environ=installation.environ(database))
    yield partial(post_events, installation, engine, port)


def _run_again(stop: Event, *, command: Sequence[str], environ: dict[str, str]) -> None:
    while not stop.is_set():
        run = [sys.executable, "-m", *command]
        subprocess.run(run, env=environ, stdout=subprocess.DEVNULL, check=True)


@contextmanager
def _kept_busy(loads: Iterator[Callable[[Event], None]]) -> Iterator[None]:
    stop = Event()
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(load, stop) for load in loads]
        try:
            yield
        finally:
            stop.set()
        for one in running:
            one.result()  # a load that failed says nothing about speed


def _ask_all(
    ask: Callable[[Reader], int], asked: Sequence[Reader], per_second: int
) -> list[_Answer]:
    started = time.perf_counter()
    moments = (started + number / per_second for number in count())
    with ThreadPoolExecutor(int(per_second * _PATIENCE)) as pool:
        return list(pool.map(partial(_ask_at, ask), moments, asked))


def _ask_at(ask: Callable[[Reader], int], moment: float, reader: Reader) -> _Answer:
    time.sleep(max(0.0, moment - time.perf_counter()))
    status = ask(reader)
    return _Answer(status == 200, time.perf_counter() - moment)


def _page(port: int, reader: Reader) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", f"/p/{make_token(Purpose.PREFERENCES, *reader)}")
        return client.getresponse().status


def _unsubscribe(port: int, reader: Reader) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("POST", f"/u/{make_token(Purpose.UNSUBSCRIBE, *reader)}", BODY, FORM)
        return client.getresponse().status


def _milliseconds(answers: Sequence[_Answer]) -> Sequence[float]:
    return quantiles((1000 * one.seconds for one in answers), n=100)
