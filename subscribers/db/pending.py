"""Unsubscribes that could not be applied at once, because others locked what they change.

They are stored in a table that nobody locks, count from then on (the view `audience` and whoever
reads a subscription see them), and are applied as soon as nothing is in their way. Whatever makes
a subscription active again applies them first, so that acts count in their order.
See docs/decisions/one-lock-stops-nobody.md.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import Engine

from subscribers.db.consent import apply_consent
from subscribers.db.transaction import IN_THE_WAY, Where, execute, rows, transaction
from subscribers.errors import ConcurrentChange, DatabaseBusy
from subscribers.model import ConsentAct

# Also for whom an old link's subscription became; reading them waits for no lock on a row.
_STORE = """
INSERT INTO pending_unsubscribe (subscription_id, at, source)
SELECT id, %(at)s, %(source)s FROM subscription WHERE id = ANY(%(ids)s)
UNION ALL
SELECT kept.id, %(at)s, %(source)s
FROM subscription AS merged
JOIN subscription AS kept
    ON kept.subscriber_id = merged.merged_into_subscriber_id
   AND kept.newsletter = merged.newsletter
WHERE merged.id = ANY(%(ids)s)
"""

_TAKE = """
DELETE FROM pending_unsubscribe WHERE subscription_id = ANY(%(ids)s)
RETURNING id, subscription_id, at, source
"""

_OF_SUBSCRIBERS = """
SELECT DISTINCT subscription_id AS id
FROM pending_unsubscribe JOIN subscription ON subscription.id = subscription_id
WHERE subscriber_id = ANY(%(ids)s)
"""

_GONE = """
DELETE FROM pending_unsubscribe
WHERE NOT EXISTS (SELECT FROM subscription WHERE id = subscription_id)
"""

_WAITING = "SELECT DISTINCT subscription_id AS id FROM pending_unsubscribe ORDER BY id"

#: Whoever is held by somebody is left for the next time.
_FREE = "SELECT id FROM subscription WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED"
_BRIEFLY = "SET LOCAL lock_timeout = '100ms'"


def unsubscribe(
    connection: Connection[Any],
    subscription_ids: Collection[int],
    *,
    at: datetime,
    source: str,
    repeat: bool = True,
) -> int:
    """End subscriptions, now or, if others are in the way, soon; return how many that concerned."""
    act = ConsentAct.WITHDRAWN
    try:
        return apply_consent(connection, subscription_ids, act, at=at, source=source, repeat=repeat)
    except IN_THE_WAY:
        values = {"at": at, "ids": list(subscription_ids), "source": source}
        return execute(connection, _STORE, values)


def apply_pending(where: Where, subscription_ids: Collection[int]) -> int:
    """Apply what is pending of these subscriptions, in this transaction; return how many."""
    taken = rows(where, _TAKE, {"ids": list(subscription_ids)})
    for one in sorted(taken, key=lambda row: row["id"]):
        ids, act = [one["subscription_id"]], ConsentAct.WITHDRAWN
        apply_consent(where, ids, act, at=one["at"], source=one["source"])
    return len(taken)


def apply_pending_of(where: Where, subscriber_ids: Collection[int]) -> int:
    """Apply what is pending of these subscribers, in this transaction; return how many."""
    found = rows(where, _OF_SUBSCRIBERS, {"ids": list(subscriber_ids)})
    return apply_pending(where, [row["id"] for row in found])


def apply_all_pending(engine: Engine) -> int:
    """Apply what is pending of everybody whom nobody holds; return how many that were."""
    with transaction(engine) as session:
        waiting = [row["id"] for row in rows(session, _WAITING)]
        if waiting:
            execute(session, _GONE)
    return sum(_apply_if_free(engine, one) for one in waiting)


def _apply_if_free(engine: Engine, subscription_id: int) -> int:
    try:
        with transaction(engine) as session:
            execute(session, _BRIEFLY)
            if not rows(session, _FREE, {"id": subscription_id}):
                return 0
            return apply_pending(session, [subscription_id])
    except (ConcurrentChange, DatabaseBusy):
        return 0
