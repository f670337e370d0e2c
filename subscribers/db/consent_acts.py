"""Acts of consent: goodbyes, and what takes them back; each is one statement, with its evidence.

A goodbye that waited for a merge did not see, in its own statement, what its subscription became:
it is said once more, in a new one. Repeated it does no harm.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from psycopg import Connection

from subscribers.model import ConsentAct, LinkKey
from subscribers.rules.consent import MOVES

_KEY_OF = "SELECT newsletter, link_key, undone_at IS NOT NULL FROM subscription WHERE id = %(id)s"

# Only what moves leaves evidence: an act repeated is no second act. Rows are locked in one order,
# so that two of these wait for each other and never lock each other out. A goodbye to what was
# merged into another subscription ends that one, too. One to what an undone import had added, and
# that had ended with it, is the first that its owner said: it is kept like any other.
_ACT = """
WITH moved AS (
    UPDATE subscription
    SET status = move.after, ended_at = CASE WHEN move.after = 'ended' THEN %(at)s END,
        undone_at = NULL
    FROM unnest(%(before)s::text[], %(after)s::text[]) AS move (before, after)
    WHERE (status = move.before OR undone_at IS NOT NULL AND %(is_goodbye)s) AND id IN (
        SELECT id FROM subscription
        WHERE id = ANY(%(ids)s::bigint[] || ARRAY(
            SELECT heir.id
            FROM subscription AS trace
            JOIN subscription AS heir
                ON heir.subscriber_id = trace.heir_subscriber_id
               AND heir.newsletter = trace.newsletter
            WHERE trace.id = ANY(%(ids)s::bigint[]) AND %(is_goodbye)s
        ))
        ORDER BY id FOR NO KEY UPDATE
    )
    RETURNING subscriber_id, newsletter
)
INSERT INTO consent (subscriber_id, newsletter, at, act, source)
SELECT subscriber_id, newsletter, %(at)s, %(act)s, %(source)s FROM moved
"""


def act(
    connection: Connection[Any],
    subscription_ids: Collection[int],
    act: ConsentAct,
    *,
    at: datetime,
    source: str,
) -> int:
    """Move subscriptions, each statement a transaction unless the caller's; count the moved."""
    values = _moves(subscription_ids, act, at, source)
    moved = connection.execute(_ACT, values).rowcount
    if values["is_goodbye"]:
        moved += connection.execute(_ACT, values).rowcount
    return moved


def act_by_link(
    connection: Connection[Any],
    subscription_id: int,
    act: ConsentAct,
    allow: Callable[[LinkKey | None], str],
    *,
    at: datetime,
    source: str,
) -> str:
    """Move one; see `subscribers.ports.SubscriberStore`. An ordinary goodbye is said but once."""
    row = connection.execute(_KEY_OF, {"id": subscription_id}).fetchone()
    allowed = allow(LinkKey(*row[:2]) if row else None)
    values = _moves([subscription_id], act, at, source)
    moved = connection.execute(_ACT, values).rowcount
    if not moved or (row and row[2]):  # what counts for nothing moves also while its heir is missed
        connection.execute(_ACT, values)
    return allowed


def _moves(
    subscription_ids: Collection[int], act: ConsentAct, at: datetime, source: str
) -> dict[str, object]:
    moves = MOVES[act]
    return {
        "act": act.value,
        "after": _array(moves.values()),
        "at": at,
        "before": _array(moves),
        "ids": _array(subscription_ids),
        "is_goodbye": act is ConsentAct.WITHDRAWN,
        "source": source,
    }


def _array(items: Iterable[object]) -> str:
    """Return plain words or numbers as an array's literal, which is sent sooner than a list."""
    return "{" + ",".join(map(str, items)) + "}"
