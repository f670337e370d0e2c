"""Merging two subscribers. The other's rows stay as a trace; what they chose is copied.

The other's subscriptions end and keep their link keys, so that old links still work: each names the
subscriber it became. What an undone import had added counts as absent on either side; what its
owner told SendGrid about the address counts all the same.
See docs/decisions/a-merge-moves-no-records.md.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlmodel import Session

from subscribers.db.pending import apply_pending_of
from subscribers.db.statements import (
    INSERT_CHANGE,
    INSERT_CONSENT,
    SUBSCRIPTION_COLUMNS,
    lock_subscriptions,
    upsert_subscriptions,
)
from subscribers.db.suppressions import suppression_of
from subscribers.db.transaction import execute, rows
from subscribers.errors import NoSuchSubscriber, NotMerged
from subscribers.model import ConsentAct, SubscriptionStatus, SuppressionReason
from subscribers.rules.suppression import OWNER_REASONS, status_after_merge

_PEOPLE = """
SELECT id, email, email_key, name, merged_into FROM subscriber
WHERE id IN (%(keep)s, %(other)s) ORDER BY id FOR NO KEY UPDATE
"""

#: Locks the subscriptions of both.
LOCK_SUBSCRIPTIONS = lock_subscriptions(
    "subscriber_id IN (%(keep)s, %(other)s) OR merged_into_subscriber_id = %(other)s"
)

# What was merged into the kept one before, and ended by that, is no unsubscribe of who came back.
_PAIRS = """
SELECT other.id, other.newsletter, other.status, kept.id AS kept_id, kept.status AS kept_status
FROM subscription AS other
LEFT JOIN subscription AS kept
    ON kept.subscriber_id = %(keep)s AND kept.newsletter = other.newsletter
   AND kept.undone_at IS NULL
WHERE other.subscriber_id = %(other)s
  AND other.merged_into_subscriber_id IS DISTINCT FROM %(keep)s
  AND (other.undone_at IS NULL OR kept.id IS NOT NULL AND %(owner_left)s)
ORDER BY other.id
"""

_ENDED_AT = "CASE WHEN %(status)s = 'ended' THEN COALESCE(ended_at, %(at)s) END"

_COPY = upsert_subscriptions(
    {name: name for name in SUBSCRIPTION_COLUMNS}
    | {"subscriber_id": "%(keep)s", "status": "%(status)s", "ended_at": _ENDED_AT},
    "FROM subscription WHERE id = %(id)s",
)

_UNITE = """
UPDATE subscription SET
    status = %(status)s,
    ended_at = CASE WHEN %(status)s = 'ended' THEN COALESCE(subscription.ended_at, %(at)s) END,
    tags = ARRAY(SELECT DISTINCT tag FROM unnest(subscription.tags || other.tags) AS tag
                 ORDER BY tag),
    engaged_on = greatest(subscription.engaged_on, other.engaged_on)
FROM subscription AS other
WHERE subscription.id = %(kept_id)s AND other.id = %(id)s
"""

_WITHDRAWN = f"""
{INSERT_CONSENT}
VALUES (%(keep)s, %(newsletter)s, %(at)s, %(act)s, %(actor)s, %(detail)s)
"""

_LEAVE_TRACE = (
    """
    UPDATE subscription SET status = 'ended', ended_at = COALESCE(ended_at, %(at)s),
           paused_at = NULL, paused_until = NULL
    WHERE subscriber_id = %(other)s
    """,
    """
    UPDATE subscription SET merged_into_subscriber_id = NULLIF(%(keep)s, subscriber_id)
    WHERE subscriber_id = %(other)s AND merged_into_subscriber_id IS NULL
       OR merged_into_subscriber_id = %(other)s
    """,
    "UPDATE subscriber SET merged_into = %(keep)s WHERE id = %(other)s OR merged_into = %(other)s",
    "UPDATE subscriber SET name = %(name)s WHERE id = %(keep)s AND name = ''",
    "DELETE FROM address_change WHERE subscriber_id = %(other)s",
    f"{INSERT_CHANGE} VALUES (%(keep)s, NULL, %(at)s, %(actor)s, 'merged', %(merged)s)",
)


def merge(session: Session, keep_id: int, other_id: int, *, actor: str, now: datetime) -> None:
    """Make two subscribers one; raise NoSuchSubscriber, or NotMerged for who was merged before."""
    values: dict[str, Any] = {"keep": keep_id, "other": other_id, "actor": actor, "at": now}
    people = {row["id"]: row for row in rows(session, _PEOPLE, values)}
    if len(people) < len({keep_id, other_id}):
        raise NoSuchSubscriber
    for one in people.values():
        if one["merged_into"] is not None:
            raise NotMerged(f"subscriber {one['id']} was merged with another one before")
    other = people[other_id]
    execute(session, LOCK_SUBSCRIPTIONS, values)
    apply_pending_of(session, [keep_id, other_id])
    found = suppression_of(session, other["email_key"])
    reason = found and found.reason
    for pair in rows(session, _PAIRS, values | {"owner_left": reason in OWNER_REASONS}):
        _merge_subscription(session, pair, reason, values)
    merged = {"other_address": other["email"], "other_subscriber": other_id}
    for statement in _LEAVE_TRACE:
        execute(session, statement, values | {"name": other["name"], "merged": Jsonb(merged)})


def _merge_subscription(
    session: Session,
    pair: Mapping[str, Any],
    reason: SuppressionReason | None,
    values: Mapping[str, Any],
) -> None:
    kept = pair["kept_status"] and SubscriptionStatus(pair["kept_status"])
    other = SubscriptionStatus(pair["status"])
    status = status_after_merge(kept, other, reason)
    values = {**values, **pair, "status": status.value}
    execute(session, _UNITE if kept else _COPY, values)
    if status is SubscriptionStatus.ENDED and (kept or other) is SubscriptionStatus.ACTIVE:
        because = f"the other address: {reason or 'unsubscribed'}"
        record = {"act": ConsentAct.WITHDRAWN.value, "detail": Jsonb({"because": because})}
        execute(session, _WITHDRAWN, values | record)
