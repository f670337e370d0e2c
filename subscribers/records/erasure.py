"""Forgetting: erasure of a person, and of evidence that was kept long enough.

Consent and changes are append-only; a trigger refuses to delete from them unless the transaction
says, as here, that it forgets.
"""
# The pieces put together here are this module's own.
# ruff: noqa: S608

from datetime import datetime
from typing import Any

from psycopg import Connection

from subscribers.db.connection import rows
from subscribers.records.model import PersonIds

_HASH = """
sha256((SELECT key FROM house_key WHERE name = 'erasure') || convert_to({key}, 'UTF8'))
"""

ERASED_AT = f"SELECT at FROM erasure WHERE hash = {_HASH.format(key='%(key)s')}"

_FORGETTING = "SELECT set_config('subscribers.forgetting', 'on', true)"

# Whoever writes to this table waits for an import, and so sees what it added.
_WAIT = "LOCK TABLE subscriber IN ROW EXCLUSIVE MODE"

# Who was merged into somebody, or whom somebody was merged into, is one person.
_SUBSCRIBERS = """
WITH named AS (
    SELECT COALESCE(merged_into, id) AS id FROM subscriber
    WHERE id = %(id)s OR email_key = %(key)s
)
SELECT id, email_key FROM subscriber WHERE id IN (SELECT id FROM named)
UNION
SELECT id, email_key FROM subscriber WHERE merged_into IN (SELECT id FROM named)
ORDER BY id
"""

# An address they had before, unless somebody else has it now.
_FORMER = """
SELECT DISTINCT lower(detail ->> 'from') AS email_key FROM change
WHERE subscriber_id = ANY(%(ids)s) AND what = 'address' AND detail ->> 'from' IS NOT NULL
  AND lower(detail ->> 'from') NOT IN (SELECT email_key FROM subscriber)
"""

_TRACES = """
SELECT ARRAY(SELECT id FROM subscription WHERE subscriber_id = ANY(%(ids)s)) AS subscription_ids,
       ARRAY(SELECT id FROM signup WHERE email_key = ANY(%(keys)s) UNION
             SELECT CAST(detail ->> 'signup' AS bigint) FROM consent
             WHERE subscriber_id = ANY(%(ids)s) AND detail ? 'signup') AS signup_ids,
       ARRAY(SELECT id FROM address_change
             WHERE subscriber_id = ANY(%(ids)s) OR email_key = ANY(%(keys)s)) AS address_change_ids,
       EXISTS (SELECT FROM suppression WHERE email_key = ANY(%(keys)s))
       OR EXISTS (SELECT FROM suppression_lift WHERE email_key = ANY(%(keys)s)) AS listed
"""

_SIGNUPS = "DELETE FROM signup WHERE email_key = ANY(%(keys)s)"

_ERASE = (
    f"""
    INSERT INTO erasure (hash, at)
    SELECT {_HASH.format(key="email_key")}, %(at)s FROM unnest(%(keys)s::text[]) AS email_key
    ON CONFLICT DO NOTHING
    """,
    "DELETE FROM confirmation WHERE subscription_id = ANY(%(subscription_ids)s)",
    "DELETE FROM import_change WHERE subscription_id = ANY(%(subscription_ids)s)",
    "DELETE FROM segment_member WHERE subscription_id = ANY(%(subscription_ids)s)",
    "DELETE FROM subscription WHERE id = ANY(%(subscription_ids)s)",
    "DELETE FROM consent WHERE subscriber_id = ANY(%(ids)s)",
    "DELETE FROM change WHERE subscriber_id = ANY(%(ids)s)",
    "DELETE FROM address_change WHERE id = ANY(%(address_change_ids)s)",
    _SIGNUPS,
    "DELETE FROM suppression WHERE email_key = ANY(%(keys)s)",
    "DELETE FROM suppression_lift WHERE email_key = ANY(%(keys)s)",
    "DELETE FROM subscriber WHERE id = ANY(%(ids)s)",
)

# A merged person's evidence is that of the subscription it moved to.
_OVER = """
SELECT {table}.id FROM {table}
JOIN subscriber ON subscriber.id = {table}.subscriber_id
JOIN subscription ON subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
                 AND subscription.newsletter = {table}.newsletter
WHERE status = 'ended' AND ended_at < %(before)s
"""

# What is not about one newsletter goes with the last of a person's subscriptions.
_ALL_OVER = """
SELECT change.id FROM change
JOIN subscriber ON subscriber.id = change.subscriber_id
WHERE change.newsletter IS NULL AND change.at < %(before)s AND NOT EXISTS (
    SELECT FROM subscription
    WHERE subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
      AND (status <> 'ended' OR ended_at IS NULL OR ended_at >= %(before)s)
)
"""

_EXPIRE = "DELETE FROM {table} WHERE id IN ({over} LIMIT %(portion)s)"
_EXPIRES = (
    _EXPIRE.format(table="consent", over=_OVER.format(table="consent")),
    _EXPIRE.format(table="change", over=_OVER.format(table="change")),
    _EXPIRE.format(table="change", over=_ALL_OVER),
)


def traces(
    connection: Connection[Any], subscriber_id: int | None, email_key: str | None
) -> PersonIds:
    """Return under which numbers somebody is known."""
    found = _found(connection, subscriber_id, email_key)
    del found["keys"]
    return PersonIds(
        subscriber_ids=tuple(found.pop("ids")),
        listed=found.pop("listed"),
        **{key: tuple(numbers) for key, numbers in found.items()},
    )


def erase(
    connection: Connection[Any], subscriber_id: int | None, email_key: str | None, *, now: datetime
) -> None:
    """Erase within the caller's transaction; see `subscribers.records.service.RecordStore`."""
    connection.execute(_WAIT)
    connection.execute(_FORGETTING)
    waiting = _found(connection, subscriber_id, email_key)
    connection.execute(_SIGNUPS, waiting)  # waits for who confirms, and so sees what that made
    values = _found(connection, subscriber_id, email_key) | {"at": now}
    for statement in _ERASE:
        connection.execute(statement.encode(), values)


def expire_evidence(connection: Connection[Any], before: datetime, portion: int) -> int:
    """Delete a portion of the evidence of subscriptions that ended before; count its rows."""
    connection.execute(_FORGETTING)
    values = {"before": before, "portion": portion}
    for statement in _EXPIRES:
        if gone := connection.execute(statement.encode(), values).rowcount:
            return gone
    return 0


def _found(
    connection: Connection[Any], subscriber_id: int | None, email_key: str | None
) -> dict[str, Any]:
    named = rows(connection, _SUBSCRIBERS, {"id": subscriber_id, "key": email_key})
    ids = [row["id"] for row in named]
    keys = {row["email_key"] for row in named + rows(connection, _FORMER, {"ids": ids})}
    if email_key is not None:
        keys.add(email_key)
    values = {"ids": ids, "keys": sorted(keys)}
    return values | rows(connection, _TRACES, values)[0]
