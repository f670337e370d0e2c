"""Pages of the console with a full list, beside the same pages with no reader at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from statistics import median, quantiles
from typing import Any

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
from tests.bench.measure import stopwatch
from tests.web.conftest import Client

_LOOKS = 20  #: at each page; the slowest of them but one is its 95th percentile
_COUNTS = 5
_BARE = "SELECT topic_set_id, count(*) FROM subscription GROUP BY topic_set_id"


@dataclass(frozen=True)
class LookedAt:
    """Milliseconds of what people of the staff look at."""

    pages: dict[str, float]  #: the 95th percentile of each, by its name
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


def _pages(container: Container, newsletter: Newsletter, on: date) -> Iterator[tuple[str, float]]:
    """Yield each page; its counts are kept, or the page that comes first is looked at.

    The poll of an issue that leaves is to be one of them: `/issues/DATE/leaving`.
    """
    issue = f"/{SLUG}/issues/{on}"
    with _visiting(container) as get:
        paths = {"Today": f"/{SLUG}/today", "an issue": issue, "Readers": f"/{SLUG}/readers"}
        for name, path in paths.items():

            def look(path: str = path) -> None:
                assert get(f"{path}?count=1").status_code == 200

            container.forecasts.of(newsletter, on, anew=True)
            look()
            yield name, quantiles(_milliseconds(look, _LOOKS), n=20)[-1]


@contextmanager
def _visiting(container: Container) -> Iterator[Callable[[str], Any]]:
    """Sign somebody in, and lend what gets a page as they do."""
    owner, accounts = [Grant(permission=Permission.OWN)], container.staff_accounts
    token = accounts.invite("bench@example.com", owner, by=LoginName("bench"))
    accepted = accounts.accept(token, "Bench", address="192.0.2.1", device="bench")
    assert isinstance(accepted, SignInAccepted)
    url = container.settings.console_url
    headers = {"Cookie": f"{cookie_name(url)}={accepted.token}"}
    console = container.console
    spare_what_stays()  # as `newsletter serve` does
    with start_blocking_portal() as portal:
        yield partial(Client(console, portal).ask, "GET", headers=headers)


def _milliseconds(work: Callable[[], Any], times: int) -> list[float]:
    took: list[float] = []
    for _ in range(times):
        with stopwatch() as working:
            work()
        took.append(1000 * working.seconds)
    return took
