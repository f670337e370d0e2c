"""Making two subscribers one. The other's rows stay as a trace; what they chose moves as a copy.

Nothing that was written down is rewritten: consent, changes and deliveries keep the number they
were written under, and are read through `subscriber.merged_into`. The other's subscriptions end and
keep their link keys, so that old links are still known, and late news of old letters still finds
the address they went to. A goodbye through one of them ends the kept subscription as well: each
names its heir by itself, for who comes back under the other address may do so for one newsletter.

What an undone import had added counts as absent on either side; what its owner told SendGrid of the
address is heard all the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from subscribers.db.connection import rows
from subscribers.db.undone import FILL_ANEW
from subscribers.errors import NoSuchSubscriber, NotMerged
from subscribers.model import ConsentAct, SubscriptionStatus, SuppressionReason
from subscribers.rules.suppression import OWNERS_WORD, status_after_merge

_PEOPLE = """
SELECT id, email, email_key, name, merged_into FROM subscriber
WHERE id IN (%(keep)s, %(other)s) ORDER BY id FOR NO KEY UPDATE
"""

HOLD = """
SELECT id FROM subscription
WHERE subscriber_id IN (%(keep)s, %(other)s) OR heir_subscriber_id = %(other)s
ORDER BY id FOR NO KEY UPDATE
"""

# What had become the kept one's before, and ended with that, is no goodbye of who came back since.
_PAIRS = """
SELECT other.id, other.newsletter, other.status, kept.id AS kept_id, kept.status AS kept_status
FROM subscription AS other
LEFT JOIN subscription AS kept
    ON kept.subscriber_id = %(keep)s AND kept.newsletter = other.newsletter
   AND kept.undone_at IS NULL
WHERE other.subscriber_id = %(other)s
  AND other.heir_subscriber_id IS DISTINCT FROM %(keep)s
  AND (other.undone_at IS NULL OR kept.id IS NOT NULL AND %(owner_left)s)
ORDER BY other.id
"""

_SAID = "SELECT reason FROM suppression WHERE email_key = %(key)s"

_COPY = f"""
INSERT INTO subscription (
    subscriber_id, newsletter, topic_set_id, zone, status, created_at, ended_at, frequency,
    paused_at, paused_until, tags, source, import_id, import_line, engaged_on,
    asked_at)
SELECT %(keep)s, newsletter, topic_set_id, zone, %(status)s, created_at,
       CASE WHEN %(status)s = 'ended' THEN COALESCE(ended_at, %(at)s) END, frequency,
       paused_at, paused_until, tags, source, import_id, import_line, engaged_on, asked_at
FROM subscription WHERE id = %(id)s
{FILL_ANEW}
"""  # noqa: S608  # this house's own pieces

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

_WITHDRAWN = """
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
VALUES (%(keep)s, %(newsletter)s, %(at)s, %(act)s, %(actor)s, %(detail)s)
"""

_TRACE = (
    """
    UPDATE subscription SET status = 'ended', ended_at = COALESCE(ended_at, %(at)s),
           paused_at = NULL, paused_until = NULL
    WHERE subscriber_id = %(other)s
    """,
    """
    UPDATE subscription SET heir_subscriber_id = NULLIF(%(keep)s, subscriber_id)
    WHERE subscriber_id = %(other)s AND heir_subscriber_id IS NULL
       OR heir_subscriber_id = %(other)s
    """,
    "UPDATE subscriber SET merged_into = %(keep)s WHERE id = %(other)s OR merged_into = %(other)s",
    "UPDATE subscriber SET name = %(name)s WHERE id = %(keep)s AND name = ''",
    "DELETE FROM address_change WHERE subscriber_id = %(other)s",
    """
    INSERT INTO change (subscriber_id, at, actor, what, detail)
    VALUES (%(keep)s, %(at)s, %(actor)s, 'merged', %(merged)s)
    """,
)


def merge(
    connection: Connection[Any], keep_id: int, other_id: int, *, actor: str, now: datetime
) -> None:
    """Merge within the caller's transaction; see `subscribers.records.service.RecordStore`."""
    values: dict[str, Any] = {"keep": keep_id, "other": other_id, "actor": actor, "at": now}
    people = {row["id"]: row for row in rows(connection, _PEOPLE, values)}
    if len(people) < len({keep_id, other_id}):
        raise NoSuchSubscriber
    for one in people.values():
        if one["merged_into"] is not None:
            raise NotMerged(f"subscriber {one['id']} was merged with another one before")
    other = people[other_id]
    connection.execute(HOLD, values)
    said = rows(connection, _SAID, {"key": other["email_key"]})
    reason = SuppressionReason(said[0]["reason"]) if said else None
    pairs = rows(connection, _PAIRS, values | {"owner_left": reason in OWNERS_WORD})
    for pair in pairs:
        _unite(connection, pair, reason, values)
    merged = {"other_address": other["email"], "other_subscriber": other_id}
    for statement in _TRACE:
        connection.execute(statement, values | {"name": other["name"], "merged": Jsonb(merged)})


def _unite(
    connection: Connection[Any],
    pair: Mapping[str, Any],
    said: SuppressionReason | None,
    values: Mapping[str, Any],
) -> None:
    kept = pair["kept_status"] and SubscriptionStatus(pair["kept_status"])
    other = SubscriptionStatus(pair["status"])
    status = status_after_merge(kept, other, said)
    values = {**values, **pair, "status": status.value}
    connection.execute(_UNITE if kept else _COPY, values)
    if status is SubscriptionStatus.ENDED and (kept or other) is SubscriptionStatus.ACTIVE:
        because = f"the other address: {said or 'a goodbye'}"
        told = {"act": ConsentAct.WITHDRAWN.value, "detail": Jsonb({"because": because})}
        connection.execute(_WITHDRAWN, values | told)
