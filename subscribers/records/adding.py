"""Adding one subscriber by hand: what silenced an address before stands in the way."""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from subscribers.addresses import Address
from subscribers.db.connection import rows
from subscribers.db.undone import FILL_ANEW
from subscribers.errors import NotAdded
from subscribers.model import ConsentAct
from subscribers.records.erasure import ERASED_AT
from subscribers.records.model import NewSubscriber

# Whoever writes to this table waits for an import, and so sees what it added.
_SUBSCRIBER = """
INSERT INTO subscriber (email, email_key, name, created_at)
VALUES (%(email)s, %(key)s, %(name)s, %(at)s)
ON CONFLICT (email_key) DO UPDATE
    SET name = CASE subscriber.name WHEN '' THEN excluded.name ELSE subscriber.name END
RETURNING id
"""

_STANDS = """
SELECT status,
       (SELECT reason FROM suppression WHERE email_key = %(key)s) AS suppressed,
       (SELECT kept.email
        FROM subscriber JOIN subscriber AS kept ON kept.id = subscriber.merged_into
        WHERE subscriber.id = %(id)s) AS kept
FROM (SELECT) AS asked
LEFT JOIN subscription
    ON subscriber_id = %(id)s AND newsletter = %(newsletter)s AND undone_at IS NULL
"""

_TOPIC_SET = "INSERT INTO topic_set (slugs) VALUES (%(slugs)s) ON CONFLICT DO NOTHING"

_SUBSCRIPTION = f"""
INSERT INTO subscription
    (subscriber_id, newsletter, topic_set_id, zone, status, created_at, source)
SELECT %(id)s, %(newsletter)s, topic_set.id, %(zone)s, 'active', %(at)s, %(source)s
FROM topic_set WHERE slugs = %(slugs)s
{FILL_ANEW}
RETURNING id
"""  # noqa: S608  # this house's own pieces

_CONSENT = """
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
VALUES (%(id)s, %(newsletter)s, %(at)s, %(act)s, %(source)s, %(detail)s)
"""


def add(
    connection: Connection[Any],
    newcomer: NewSubscriber,
    address: Address,
    *,
    actor: str,
    now: datetime,
) -> int:
    """Add within the caller's transaction; see `subscribers.records.service.RecordStore`."""
    values: dict[str, Any] = {
        "act": ConsentAct.IMPORTED.value,
        "at": now,
        "detail": Jsonb({"how": "by hand", "statement": newcomer.statement}),
        "email": address.email,
        "key": address.key,
        "name": newcomer.name,
        "newsletter": newcomer.newsletter,
        "slugs": sorted(newcomer.topics.slugs),
        "source": actor,
        "zone": newcomer.zone,
    }
    values["id"] = rows(connection, _SUBSCRIBER, values)[0]["id"]
    _refuse(connection, values)
    connection.execute(_TOPIC_SET, values)
    added = rows(connection, _SUBSCRIPTION, values)
    if not added:  # somebody came in between
        _refuse(connection, values)
    connection.execute(_CONSENT, values)
    number: int = added[0]["id"]
    return number


def _refuse(connection: Connection[Any], values: dict[str, Any]) -> None:
    [stands] = rows(connection, _STANDS, values)
    if rows(connection, ERASED_AT, values):
        raise NotAdded("this address was erased; only its owner can sign up again")
    if stands["kept"]:
        raise NotAdded(f"this is another address of {stands['kept']}; name that one")
    if reason := stands["suppressed"]:
        raise NotAdded(f"this address must not be written to: {reason}")
    if stands["status"] == "ended":
        raise NotAdded("they said goodbye, which only they themselves can take back")
    if stands["status"]:
        raise NotAdded("this address is subscribed already")
