"""Pages of the console with a full list, beside the same pages with no reader at all."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from statistics import median, quantiles
from typing import Any, NamedTuple

import psycopg
from anyio.from_thread import start_blocking_portal

from newsletter.adapters.memory import spare_what_stays
from newsletter.container import Container
from newsletter.core.edition import whole_edition
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.sign_in import SignInAccepted
from newsletter.core.staff import Grant, LoginName, Permission
from newsletter.web.console.access import cookie_name
from tests.bench.installation import SLUG, Installation, approved_issue
from tests.bench.measure import Stopwatch, stopwatch
from tests.web.conftest import Client

_LOOKS = 20  #: at each page; the slowest of them but one is its 95th percentile
_ISSUE = f"/{SLUG}/issues/{{on}}"
#: The console's pages by their names, before the issue is planned and while it leaves.
_BEFORE = {
    "Today": f"/{SLUG}/today",
    "an issue": _ISSUE,
    "its letter alone": f"{_ISSUE}/letter",
    "its checks": f"{_ISSUE}/checks",
    "who gets it": f"{_ISSUE}/people",
    "Readers": f"/{SLUG}/readers",
    "the log": f"/{SLUG}/log",
}
_LEAVING = {
    "an issue that leaves": f"{_ISSUE}/leaving",
    "who gets what leaves": f"{_ISSUE}/people",
    "its results": f"{_ISSUE}/results",
    "Results": f"/{SLUG}/results",
}
_POLL = {"HX-Request": "true", "HX-Target": "figures"}
_NOBODY = "nobody-has-this"  #: part of no address
_COUNTS = 5
_BARE = "SELECT topic_set_id, count(*) FROM subscription GROUP BY topic_set_id"


class Looks(NamedTuple):
    """What looks at one page took."""

    late: float  #: milliseconds, the 95th percentile
    cpu: float  #: milliseconds of this process's processors, the median: load changes it less


@dataclass(frozen=True)
class LookedAt:
    """Milliseconds of what people of the staff look at."""

    pages: dict[str, Looks]  #: by name; also a search that reads every address
    forecast: float  #: the counts, and the editions that follow from them
    bare_count: float  #: of the same table, by topic set alone
    cut: float  #: a letter from a galley
    set: float  #: the galley


def look_at_pages(installation: Installation, database: str) -> LookedAt:
    """Look at a database whose list has been imported and whose issue is not planned."""
    with psycopg.connect(installation.url(database), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE subscriber, subscription, suppression, topic_set")
        bare = _milliseconds(lambda: connection.execute(_BARE).fetchall(), _COUNTS)
    with installation.container(database) as container:
        return _looked_at(container, bare)


def _looked_at(container: Container, bare: list[float]) -> LookedAt:
    stored = approved_issue(container)
    newsletter, on = container.settings.newsletter(SLUG), stored.issue.date
    assert on == day_of(newsletter.timetable, container.clock.now())
    edition = whole_edition(stored.issue)
    cut = _milliseconds(lambda: container.publishing.letter(stored, edition), _LOOKS)
    make = _milliseconds(lambda: container.renderer.set(newsletter, stored.issue), 3)
    counted = _milliseconds(lambda: container.forecasts.of(newsletter, on, anew=True), _COUNTS)
    return LookedAt(
        pages=dict(_pages(container, newsletter, on)),
        forecast=median(counted),
        bare_count=median(bare),
        cut=median(cut),
        set=median(make),
    )


def _pages(container: Container, newsletter: Newsletter, on: date) -> Iterator[tuple[str, Looks]]:
    """Yield each page; its counts are kept, or the page that comes first is looked at."""
    with _visiting(container) as get:
        yield from _looks(container, newsletter, on, get, _BEFORE)
        records, slug = container.records, newsletter.readers.newsletter
        search = partial(records.search, _NOBODY, newsletter=slug, limit=50)
        yield "a search that reads all addresses", _look(search)
        container.planning.plan(newsletter, container.publishing.issue(newsletter, on))
        yield from _looks(container, newsletter, on, get, _LEAVING)
        yield "its poll", _look(partial(get, f"{_ISSUE}/leaving".format(on=on), **_POLL))
        why = partial(container.explaining.why, newsletter, "reader-0000001@example.com", on)
        yield "why somebody gets it", _look(why)


def _looks(
    container: Container,
    newsletter: Newsletter,
    on: date,
    get: Callable[..., Any],
    paths: Mapping[str, str],
) -> Iterator[tuple[str, Looks]]:
    for name, path in paths.items():

        def look(path: str = path.format(on=on)) -> None:
            assert get(f"{path}?count=1").status_code == 200

        container.forecasts.of(newsletter, on, anew=True)
        look()
        yield name, _look(look)


def _look(look: Callable[[], Any]) -> Looks:
    took = [_watched(look) for _ in range(_LOOKS)]
    late = quantiles([1000 * one.seconds for one in took], n=20)[-1]
    return Looks(late, 1000 * median(one.cpu for one in took))


@contextmanager
def _visiting(container: Container) -> Iterator[Callable[..., Any]]:
    """Sign somebody in, and lend what gets a page as they do, with more headers if need be."""
    owner, accounts = [Grant(permission=Permission.OWN)], container.staff_accounts
    token = accounts.invite("bench@example.com", owner, by=LoginName("bench"))
    accepted = accounts.accept(token, "Bench", address="192.0.2.1", device="bench")
    assert isinstance(accepted, SignInAccepted)
    url = container.settings.console_url
    headers = {"Cookie": f"{cookie_name(url)}={accepted.token}"}
    console = container.console
    spare_what_stays()  # as `newsletter serve` does
    with start_blocking_portal() as portal:
        client = Client(console, portal)
        yield lambda path, **more: client.ask("GET", path, headers=headers | more)


def _milliseconds(work: Callable[[], Any], times: int) -> list[float]:
    return [1000 * _watched(work).seconds for _ in range(times)]


def _watched(work: Callable[[], Any]) -> Stopwatch:
    with stopwatch() as working:
        work()
    return working
