"""Changing a subscriber's address once it is confirmed; whoever had it is merged into them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from subscribers.db.consent import apply_consent
from subscribers.db.merging import LOCK_SUBSCRIPTIONS, merge
from subscribers.db.pending import apply_pending_of
from subscribers.db.record_tables import ChangeRow
from subscribers.db.tables import SubscriberRow, SubscriptionRow
from subscribers.db.transaction import execute, rows
from subscribers.model import ConsentAct, SubscriptionStatus
from subscribers.signup.confirming import reopen_address

_READER = "subscriber"  #: who changed their address, on record
_SOURCE = "new address confirmed"

# Who changes their address, and who has it; locked in the one order.
_PEOPLE = """
SELECT subscriber.id, subscriber.email, subscriber.email_key, merged_into,
       subscriber.id = change.subscriber_id AS moves,
       change.email AS new_email, change.email_key AS new_key
FROM address_change AS change
JOIN subscriber ON subscriber.id = change.subscriber_id OR subscriber.email_key = change.email_key
WHERE change.id = %(id)s ORDER BY subscriber.id FOR UPDATE OF subscriber
"""

# What has the address is now only the trace of a merge. It is deleted where nothing was written
# under it; else it keeps its address to be read, and gives up the key by which it is found.
_DELETE_BARE = """
DELETE FROM subscriber WHERE id = %(id)s
   AND NOT EXISTS (SELECT FROM subscription WHERE subscriber_id = %(id)s)
   AND NOT EXISTS (SELECT FROM consent WHERE subscriber_id = %(id)s)
   AND NOT EXISTS (SELECT FROM change WHERE subscriber_id = %(id)s)
"""
_FREE_KEY = "UPDATE subscriber SET email_key = email_key || ' ' || id WHERE id = %(id)s"


def change_address(session: Session, change_id: int, *, at: datetime) -> None:
    people = rows(session, _PEOPLE, {"id": change_id})
    mover = next((one for one in people if one["moves"]), None)
    other = next((one for one in people if not one["moves"]), None)
    if mover is None or mover["email_key"] == mover["new_key"]:
        return  # gone, or changed before
    if other and other["merged_into"] is None:
        _merge(session, mover["id"], other["id"], at)
    if other and not execute(session, _DELETE_BARE, other):
        execute(session, _FREE_KEY, other)
    _store(session, mover, at)
    reopen_address(session, mover["new_key"], at)


def _merge(session: Session, keep_id: int, other_id: int, at: datetime) -> None:
    """Merge, even if the other address had unsubscribed; an unsubscribe in the meantime stands."""
    execute(session, LOCK_SUBSCRIPTIONS, {"keep": keep_id, "other": other_id})
    row = SubscriptionRow
    apply_pending_of(session, [keep_id, other_id])
    active = session.exec(
        select(row.id)
        .where(row.subscriber_id == keep_id, row.status == SubscriptionStatus.ACTIVE)
        .order_by(col(row.id))
    ).all()
    merge(session, keep_id, other_id, actor=_READER, now=at)
    apply_consent(session, active, ConsentAct.RESUMED, at=at, source=_SOURCE)


def _store(session: Session, mover: Mapping[str, Any], at: datetime) -> None:
    subscriber = session.get_one(SubscriberRow, mover["id"])
    subscriber.email, subscriber.email_key = mover["new_email"], mover["new_key"]
    session.flush()
    # The old address is still known as theirs: to a list that names it, and to an erasure.
    trace = SubscriberRow(
        email=mover["email"], email_key=mover["email_key"], created_at=at, merged_into=mover["id"]
    )
    moved = {"from": mover["email"], "to": mover["new_email"]}
    change = ChangeRow(
        subscriber_id=mover["id"], at=at, actor=_READER, what="address", detail=moved
    )
    session.add_all([trace, change])
