"""Applying acts of consent: an unsubscribe, and what takes it back; one statement with its record.

An unsubscribe that waited for a merge did not see, in its own statement, what its subscription
became: the statement is run once more. Repeating it does no harm. An ordinary unsubscribe by a link
needs no second run.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from psycopg import Connection

from subscribers.db.statements import INSERT_CONSENT
from subscribers.db.transaction import Where, execute, rows
from subscribers.model import ConsentAct, LinkKey
from subscribers.rules.consent import MOVES

_KEYS_OF = """
SELECT id, newsletter, link_key, undone_at IS NOT NULL AS undone
FROM subscription WHERE id = ANY(%(ids)s::bigint[])
"""

# `subscribers.rules.consent.status_after` specifies what moves. Only what moves leaves a record: an
# act repeated is no second act. Rows are locked in one order, so that two of these wait for each
# other and never deadlock. An unsubscribe from what was merged into another subscription ends that
# one, too. One from what an undone import had added, which ended then, is the first that its owner
# made: it is recorded like any other.
_APPLY = f"""
WITH moved AS (
    UPDATE subscription
    SET status = move.after, ended_at = CASE WHEN move.after = 'ended' THEN %(at)s END,
        undone_at = NULL
    FROM unnest(%(before)s::text[], %(after)s::text[]) AS move (before, after)
    WHERE (status = move.before OR undone_at IS NOT NULL AND %(withdraws)s) AND id IN (
        SELECT id FROM subscription
        WHERE id = ANY(%(ids)s::bigint[] || ARRAY(
            SELECT kept.id
            FROM subscription AS merged
            JOIN subscription AS kept
                ON kept.subscriber_id = merged.merged_into_subscriber_id
               AND kept.newsletter = merged.newsletter
            WHERE merged.id = ANY(%(ids)s::bigint[]) AND %(withdraws)s
        ))
        ORDER BY id FOR NO KEY UPDATE
    )
    RETURNING subscriber_id, newsletter
)
{INSERT_CONSENT}
SELECT subscriber_id, newsletter, %(at)s, %(act)s, %(source)s, '{{}}' FROM moved
"""


def apply_consent(
    where: Where,
    subscription_ids: Collection[int],
    act: ConsentAct,
    *,
    at: datetime,
    source: str,
    repeat: bool = True,
) -> int:
    """Move subscriptions as the act moves them; return how many it moved.

    An unsubscribe that moved something is not run once more without `repeat`.
    """
    moves, withdraws = MOVES[act], act is ConsentAct.WITHDRAWN
    values = {
        "act": act.value,
        "after": _array(moves.values()),
        "at": at,
        "before": _array(moves),
        "ids": _array(subscription_ids),
        "withdraws": withdraws,
        "source": source,
    }
    moved = execute(where, _APPLY, values)
    if withdraws and (repeat or not moved):
        moved += execute(where, _APPLY, values)
    return moved


def link_keys_of(
    connection: Connection[Any], subscription_ids: Collection[int]
) -> dict[int, LinkKey]:
    """Return what is needed to check links of these subscriptions; of those that there are."""
    found = rows(connection, _KEYS_OF, {"ids": _array(subscription_ids)})
    return {row.pop("id"): LinkKey(**row) for row in found}


def _array(items: Iterable[object]) -> str:
    """Return plain words or numbers as an array's literal, which is sent sooner than a list."""
    return "{" + ",".join(map(str, items)) + "}"
