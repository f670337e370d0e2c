"""Segment counts, on a list whose readers differ in all that a filter asks for."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import psycopg

from newsletter.container import Container
from subscribers.segments.filters import Filter
from tests.bench.installation import SLUG, Installation
from tests.bench.measure import stopwatch

_RUNS = 5  #: of each filter; their median counts

#: What people ask. Every count also says how many of them may be written to.
_FILTERS: dict[str, dict[str, Any]] = {
    "everyone": {},
    "mailable": {"status": "mailable"},
    "suppressed": {"status": "suppressed"},
    "a topic": {"topics": "TOPIC"},
    "a tag": {"tags": "vip"},
    "an area": {"zones": "Europe"},
    "a source": {"source": "import"},
    "joined this month": {"joined-since": "30 days ago"},
    "engaged": {"engaged-within": 30},
    "inactive": {"not-engaged-within": 90, "status": "mailable"},
    "all at once": {
        "topics": "TOPIC",
        "tags": "customer",
        "tags-none": "vip",
        "zones": "Europe,America/New_York",
        "engaged-within": 90,
        "status": "mailable",
    },
}

_VARY = """
UPDATE subscription SET
       created_at = now() - (id % 1000) * interval '1 day',
       status = CASE WHEN id % 17 = 0 THEN 'ended' ELSE 'active' END,
       paused_at = CASE WHEN id % 101 = 0 THEN now() END,
       zone = (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Europe/Paris', 'Asia/Tokyo',
                     'America/Los_Angeles', 'Asia/Kolkata'])[1 + id % 7],
       tags = (ARRAY['{}', '{}', '{customer}', '{customer,event}', '{vip}'])[1 + id % 5]::text[],
       engaged_on = CASE WHEN id % 3 > 0 THEN current_date - (id % 300)::integer END
"""
_SUPPRESS = """
INSERT INTO suppression (email_key, reason, source, since)
SELECT email_key, 'bounce', 'bench', now() FROM subscriber WHERE id % 50 = 0
"""


@dataclass(frozen=True)
class Counted:
    """Milliseconds of a count."""

    filters: int
    median: float
    worst: float
    slowest: str  #: the filter


def count_segments(installation: Installation, database: str, *, readers: int) -> Counted:
    """Ask every filter of a list, in turn, and again; its readers are changed for it."""
    with psycopg.connect(installation.url(database), autocommit=True) as connection:
        for statement in (_VARY, _SUPPRESS):
            connection.execute(statement.encode())
        connection.execute("VACUUM (FULL, ANALYZE) subscription")
        connection.execute("VACUUM ANALYZE subscriber, suppression, topic_set")
    with installation.container(database) as container:
        assert (
            container.segments.count(SLUG, Filter(), now=container.clock.now()).matching == readers
        )
        took = {
            name: _milliseconds(container, installation, given) for name, given in _FILTERS.items()
        }
    slowest = max(took, key=took.__getitem__)
    return Counted(len(took), median(took.values()), took[slowest], slowest)


def _milliseconds(container: Container, installation: Installation, given: dict[str, Any]) -> float:
    now = container.clock.now()
    words = {"TOPIC": installation.newsletter.topic_slugs[0]}
    words["30 days ago"] = (now - timedelta(days=30)).date().isoformat()
    asked = {name: words.get(value, value) for name, value in given.items()}
    chosen = container.segments.read(SLUG, asked, installation.newsletter.topic_slugs)
    runs: list[float] = []
    for _ in range(_RUNS):
        with stopwatch() as counting:
            container.segments.count(SLUG, chosen, now=now)
        runs.append(1000 * counting.seconds)
    return median(runs)
