"""Adding one subscriber by hand; what ended or suppressed an address before prevents it."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from subscribers.addresses import Address
from subscribers.db.statements import ADD_SUBSCRIPTION, topic_set_id
from subscribers.db.tables import ConsentRow
from subscribers.db.transaction import rows, scalar
from subscribers.errors import NotAdded
from subscribers.model import ConsentAct
from subscribers.records.erasure import erased_at
from subscribers.records.model import NewSubscriber

# Whoever writes to this table waits for a portion of an import, and so sees what it added.
_SUBSCRIBER = """
INSERT INTO subscriber (email, email_key, name, created_at)
VALUES (%(email)s, %(key)s, %(name)s, %(at)s)
ON CONFLICT (email_key) DO UPDATE
    SET name = CASE subscriber.name WHEN '' THEN excluded.name ELSE subscriber.name END
RETURNING id
"""

_KNOWN = """
SELECT status,
       (SELECT reason FROM suppression WHERE email_key = %(key)s) AS suppressed,
       (SELECT kept.email
        FROM subscriber JOIN subscriber AS kept ON kept.id = subscriber.merged_into
        WHERE subscriber.id = %(subscriber_id)s) AS kept
FROM (SELECT) AS wanted
LEFT JOIN subscription
    ON subscriber_id = %(subscriber_id)s AND newsletter = %(newsletter)s AND undone_at IS NULL
"""

_ADD = f"{ADD_SUBSCRIPTION} RETURNING id"


def add(
    session: Session, new: NewSubscriber, address: Address, *, actor: str, now: datetime
) -> int:
    values: dict[str, Any] = {
        "at": now,
        "created_at": now,
        "email": address.email,
        "key": address.key,
        "name": new.name,
        "newsletter": new.newsletter,
        "source": actor,
        "status": "active",
        "zone": new.zone,
    }
    values["subscriber_id"] = scalar(session, _SUBSCRIBER, values)
    _refuse(session, values)
    values["topic_set_id"] = topic_set_id(session, new.topics)
    added = rows(session, _ADD, values)
    if not added:  # somebody came in between
        _refuse(session, values)
    consent = ConsentRow(
        subscriber_id=values["subscriber_id"],
        newsletter=new.newsletter,
        at=now,
        act=ConsentAct.IMPORTED,
        source=actor,
        detail={"how": "by hand", "statement": new.statement},
    )
    session.add(consent)
    return int(added[0]["id"])


def _refuse(session: Session, values: dict[str, Any]) -> None:
    [known] = rows(session, _KNOWN, values)
    if erased_at(session, values["key"]):
        raise NotAdded("this address was erased; only its owner can sign up again")
    if known["kept"]:
        raise NotAdded(f"this is another address of {known['kept']}; use that address")
    if reason := known["suppressed"]:
        raise NotAdded(f"this address must not be written to: {reason}")
    if known["status"] == "ended":
        raise NotAdded("they have unsubscribed, which only they themselves can undo")
    if known["status"]:
        raise NotAdded("this address is subscribed already")
