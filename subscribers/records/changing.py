"""Changing several things of a subscriber at once, as long as they are as somebody read them."""

from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from sqlmodel import Session

from subscribers.db.statements import topic_set_id
from subscribers.db.transaction import execute
from subscribers.errors import ConcurrentChange
from subscribers.model import Change, ConsentAct, Subscription, TopicSet
from subscribers.records import reading
from subscribers.records.model import Person, SubscriptionEdit
from subscribers.subscriptions.choices import CHANGES, CHOOSE_TOPICS

_LOCK_PERSON = "SELECT FROM subscriber WHERE id = %(id)s FOR NO KEY UPDATE"
# In the one order of all writers of this table.
_LOCK_SUBSCRIPTIONS = """
SELECT FROM subscription WHERE subscriber_id = %(id)s ORDER BY id FOR NO KEY UPDATE
"""


def lock_as_read(session: Session, read: Person) -> None:
    """Lock a subscriber and what they have; ConcurrentChange if they are not as they were read."""
    for lock in (_LOCK_PERSON, _LOCK_SUBSCRIPTIONS):
        execute(session, lock, {"id": read.id})
    if reading.person(session, read.id) != read:
        raise ConcurrentChange


def rename(session: Session, one: Subscription, name: str, *, actor: str, now: datetime) -> None:
    _change(session, one, Change.NAME, name, actor=actor, now=now)


def change(
    session: Session, one: Subscription, edit: SubscriptionEdit, *, actor: str, now: datetime
) -> None:
    """Change a subscription but for its tags; what is chosen was checked before."""
    if edit.topics is not None:
        _choose_topics(session, one, edit.topics, actor, now)
    for what, to in _changes(one, edit):
        _change(session, one, what, to, actor=actor, now=now)


def _changes(one: Subscription, edit: SubscriptionEdit) -> Iterator[tuple[Change, object]]:
    if edit.zone is not None:
        yield Change.ZONE, edit.zone
    if edit.frequency is not None:
        yield Change.FREQUENCY, edit.frequency.value
    if edit.until is not None:
        yield Change.PAUSED, datetime.combine(edit.until, time(), ZoneInfo(edit.zone or one.zone))
    if edit.resume:
        yield Change.UNPAUSED, None


def _change(
    session: Session, one: Subscription, what: Change, to: object, *, actor: str, now: datetime
) -> None:
    values = {"actor": actor, "at": now, "id": one.id, "to": to, "what": what.value}
    execute(session, CHANGES[what], values)


def _choose_topics(
    session: Session, one: Subscription, topics: TopicSet, actor: str, now: datetime
) -> None:
    values = {
        "act": ConsentAct.CHOSE.value,
        "at": now,
        "detail": Jsonb({"topics": sorted(topics.slugs)}),
        "id": one.id,
        "set": topic_set_id(session, topics),
        "source": actor,
    }
    execute(session, CHOOSE_TOPICS, values)
