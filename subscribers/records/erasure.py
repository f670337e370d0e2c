"""Erasing a person, and consent records whose retention is over.

Consent and changes are append-only: a trigger refuses to delete from them unless the transaction
says, as here, that it erases. See docs/decisions/erasure-leaves-a-keyed-hash.md.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from subscribers.addresses import email_key
from subscribers.db.statements import WAIT_FOR_IMPORT, erasure_hash
from subscribers.db.transaction import execute, rows, scalar
from subscribers.records.model import PersonIds, Who

_ERASED_AT = f"SELECT at FROM erasure WHERE hash = {erasure_hash('%(key)s')}"

_ALLOW_DELETES = "SELECT set_config('subscribers.forgetting', 'on', true)"

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

_NUMBERS = """
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
    SELECT {erasure_hash("email_key")}, %(at)s FROM unnest(%(keys)s::text[]) AS email_key
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


def _expire_ended(table: str) -> str:
    """Return the statement for what is about one newsletter.

    A merged person's records are those of the subscription it moved to.
    """
    return f"""
DELETE FROM {table} WHERE id IN (
    SELECT {table}.id FROM {table}
    JOIN subscriber ON subscriber.id = {table}.subscriber_id
    JOIN subscription ON subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
                     AND subscription.newsletter = {table}.newsletter
    WHERE status = 'ended' AND ended_at < %(before)s
    LIMIT %(portion)s
)
"""


# What is not about one newsletter goes with the last of a person's subscriptions.
_EXPIRE_ALL_ENDED = """
DELETE FROM change WHERE id IN (
    SELECT change.id FROM change
    JOIN subscriber ON subscriber.id = change.subscriber_id
    WHERE change.newsletter IS NULL AND change.at < %(before)s AND NOT EXISTS (
        SELECT FROM subscription
        WHERE subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
          AND (status <> 'ended' OR ended_at IS NULL OR ended_at >= %(before)s)
    )
    LIMIT %(portion)s
)
"""
_EXPIRE = (_expire_ended("consent"), _expire_ended("change"), _EXPIRE_ALL_ENDED)


def person_ids(session: Session, who: Who) -> PersonIds:
    found = _find(session, who)
    del found["keys"]
    return PersonIds(
        subscriber_ids=tuple(found.pop("ids")),
        listed=found.pop("listed"),
        **{key: tuple(numbers) for key, numbers in found.items()},
    )


def erase(session: Session, who: Who, *, now: datetime) -> None:
    execute(session, WAIT_FOR_IMPORT)
    execute(session, _ALLOW_DELETES)
    # Waits for who confirms, and so sees what that made.
    execute(session, _SIGNUPS, _find(session, who))
    values = _find(session, who) | {"at": now}
    for statement in _ERASE:
        execute(session, statement, values)


def erased_at(session: Session, key: str) -> datetime | None:
    return scalar(session, _ERASED_AT, {"key": key})


def expire_evidence(session: Session, before: datetime, portion: int) -> int:
    execute(session, _ALLOW_DELETES)
    values = {"before": before, "portion": portion}
    return next((gone for one in _EXPIRE if (gone := execute(session, one, values))), 0)


def _find(session: Session, who: Who) -> dict[str, Any]:
    number, key = (None, email_key(who)) if isinstance(who, str) else (who, None)
    named = rows(session, _SUBSCRIBERS, {"id": number, "key": key})
    ids = [row["id"] for row in named]
    keys = {row["email_key"] for row in named + rows(session, _FORMER, {"ids": ids})}
    values = {"ids": ids, "keys": sorted(keys | {key} if key else keys)}
    return values | rows(session, _NUMBERS, values)[0]
