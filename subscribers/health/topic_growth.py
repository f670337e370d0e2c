"""How many joined and left each topic by day or week, and how many it had at the end of each.

A subscription counts for the topics that it has chosen now: what it chose before is evidence in
its acts of consent, not a count. Whoever chose everything counts for "*", and for no other topic.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine

from subscribers.db.transaction import rows, transaction
from subscribers.health.model import TopicGrowth

# Who was there before the first day is counted under the day before it.
_BY_DAY = """
WITH moved AS (
    SELECT topic_set_id, created_at AS at, 1 AS joined, 0 AS gone
    FROM subscription WHERE newsletter = %(newsletter)s AND undone_at IS NULL
    UNION ALL
    SELECT topic_set_id, ended_at, 0, 1 FROM subscription
    WHERE newsletter = %(newsletter)s AND undone_at IS NULL AND ended_at IS NOT NULL
), by_set AS (
    SELECT topic_set_id, greatest((at AT TIME ZONE 'UTC')::date, %(before)s) AS day,
           sum(joined) AS joined, sum(gone) AS gone
    FROM moved WHERE at < %(until)s GROUP BY 1, 2
)
SELECT slug, day, sum(joined)::bigint AS joined, sum(gone)::bigint AS gone
FROM by_set JOIN topic_set ON topic_set.id = topic_set_id CROSS JOIN unnest(slugs) AS slug
GROUP BY slug, day ORDER BY slug, day
"""


def topic_growth(
    engine: Engine, newsletter: str, since: date, until: date, days: int
) -> Iterator[TopicGrowth]:
    """Yield spans of so many days from `since` on, up to and with `until`, for each topic."""
    before = since - timedelta(days=1)
    end = datetime.combine(until + timedelta(days=1), time(), UTC)
    values = {"newsletter": newsletter, "before": before, "until": end}
    with transaction(engine) as session:
        found = rows(session, _BY_DAY, values)
    topics: dict[str, dict[date, tuple[int, int]]] = defaultdict(dict)
    for row in found:
        topics[row["slug"]][row["day"]] = row["joined"], row["gone"]
    for slug, by_day in topics.items():
        there, left = by_day.get(before, (0, 0))
        there -= left
        for first in _steps(since, until, days):
            last = min(first + timedelta(days=days - 1), until)
            moves = [move for day, move in by_day.items() if first <= day <= last]
            joined, left = sum(one for one, _ in moves), sum(one for _, one in moves)
            there += joined - left
            yield TopicGrowth(topic=slug, first=first, joined=joined, left=left, subscribers=there)


def _steps(since: date, until: date, days: int) -> Iterator[date]:
    while since <= until:
        yield since
        since += timedelta(days=days)
