"""Counts the subscriptions by their topics, and by why they would get nothing now.

Everybody is counted by what their own row says, in one reading of one table. Then the few whose row
does not say it all are counted again: with the reason they were counted under, and the true one.
`tests/stores/test_forecast.py` holds both together to what a plan stores.
See docs/decisions/a-forecast-writes-nothing.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from subscribers.db.transaction import execute, rows
from subscribers.model import Exclusion, Frequency, TopicSet, TopicSetCount

#: Compiling a statement that reads a table once takes longer than it saves. What a list's indexes
#: lead to is in memory, so that one person after another is found sooner than by reading a table.
_QUICKLY = """
SET TRANSACTION READ ONLY; SET LOCAL jit = off; SET LOCAL work_mem = '64MB';
SET LOCAL random_page_cost = 1.1; SET LOCAL plan_cache_mode = force_custom_plan
"""

#: Columns in the front of the row: the further back one is, the longer it takes to get at.
_BY_THEIR_ROW = """
SELECT topic_set_id, count(*) AS people,
       count(*) FILTER (WHERE status <> 'active') AS ended,
       count(*) FILTER (WHERE status = 'active' AND frequency <> %(frequency)s) AS other_frequency
  FROM subscription WHERE newsletter = %(newsletter)s
 GROUP BY 1
"""

#: Who is suppressed, paused, undone or about to end, each found by an index. A pause that is over
#: by now ended; what was undone is nobody's subscription.
_CORRECTIONS = """
WITH suppressed AS MATERIALIZED (
    SELECT subscription.* FROM suppression JOIN subscriber USING (email_key)
      JOIN subscription ON subscription.subscriber_id = subscriber.id
     WHERE newsletter = %(newsletter)s
), pending AS MATERIALIZED (
    SELECT DISTINCT subscription_id AS id FROM pending_unsubscribe
), concerned AS (
    SELECT *, 'suppressed' AS reason FROM suppressed
     UNION ALL
    SELECT subscription.*, CASE WHEN status <> 'active' THEN 'ended'
                                WHEN id IN (SELECT id FROM pending) THEN 'ended'
                                WHEN paused_at IS NOT NULL
                                     AND (paused_until IS NULL OR paused_until > %(now)s)
                                THEN 'paused'
                                WHEN frequency <> %(frequency)s THEN 'other_frequency' END
      FROM (SELECT id FROM subscription WHERE paused_at IS NOT NULL
             UNION SELECT id FROM subscription WHERE undone_at IS NOT NULL
             UNION SELECT id FROM pending) AS other
      JOIN subscription USING (id)
     WHERE newsletter = %(newsletter)s AND id NOT IN (SELECT id FROM suppressed)
)
SELECT topic_set_id, undone_at IS NOT NULL AS undone, reason,
       CASE WHEN status <> 'active' THEN 'ended'
            WHEN frequency <> %(frequency)s THEN 'other_frequency' END AS counted_as,
       count(*) AS people
  FROM concerned
 GROUP BY 1, 2, 3, 4
"""

_TOPIC_SETS = "SELECT id, slugs FROM topic_set"


def count_topic_sets(
    session: Session, newsletter: str, frequency: Frequency, now: datetime
) -> Iterator[TopicSetCount]:
    """Yield how many made each choice of topics; all statements must see one state of the data."""
    values = {"newsletter": newsletter, "frequency": frequency, "now": now}
    execute(session, _QUICKLY)
    people = Counter[tuple[int, str | None]]()
    for row in rows(session, _BY_THEIR_ROW, values):
        _count(people, row)
    for row in rows(session, _CORRECTIONS, values):
        _correct(people, row)
    chosen = {row["id"]: _topic_set(row) for row in rows(session, _TOPIC_SETS)}
    for (topic_set_id, reason), number in people.items():
        if number:
            exclusion = Exclusion(reason) if reason else None
            yield TopicSetCount(topics=chosen[topic_set_id], exclusion=exclusion, people=number)


def _count(people: Counter[tuple[int, str | None]], row: Mapping[str, Any]) -> None:
    which, ended, other = row["topic_set_id"], row["ended"], row["other_frequency"]
    people[which, None] += row["people"] - ended - other
    people[which, Exclusion.ENDED] += ended
    people[which, Exclusion.OTHER_FREQUENCY] += other


def _correct(people: Counter[tuple[int, str | None]], row: Mapping[str, Any]) -> None:
    people[row["topic_set_id"], row["counted_as"]] -= row["people"]
    if not row["undone"]:
        people[row["topic_set_id"], row["reason"]] += row["people"]


def topic_sets(where: Session) -> tuple[TopicSet, ...]:
    """Return every choice of topics that anybody ever made."""
    return tuple(map(_topic_set, rows(where, _TOPIC_SETS)))


def _topic_set(row: Mapping[str, Any]) -> TopicSet:
    return TopicSet(frozenset(row["slugs"]))
