"""Reading subscriptions, each with its address, its topics, and what it was merged into.

An unsubscribe that is not applied yet counts already.
"""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from subscribers.addresses import email_key
from subscribers.db.transaction import Where, rows
from subscribers.model import Frequency, Subscription, SubscriptionStatus, TopicSet

_SUBSCRIPTION = """
SELECT subscription.*, email, name, slugs, subscription.created_at AS joined,
       EXISTS (SELECT FROM pending_unsubscribe WHERE subscription_id = subscription.id) AS leaves,
       CASE WHEN merged_into_subscriber_id IS NOT NULL AND status = 'ended' THEN (
           SELECT kept.id FROM subscription AS kept
           WHERE kept.subscriber_id = subscription.merged_into_subscriber_id
             AND kept.newsletter = subscription.newsletter
       ) END AS merged_into_id
FROM subscription
JOIN subscriber ON subscriber.id = subscriber_id
JOIN topic_set ON topic_set.id = topic_set_id
"""
_BY_ID = _SUBSCRIPTION + "WHERE subscription.id = %(id)s"
_BY_EMAIL = _SUBSCRIPTION + "WHERE email_key = %(key)s ORDER BY newsletter"

#: Also what was merged or undone; whoever asked to subscribe is not a subscriber yet.
_KNOWN_ADDRESSES = """
SELECT email_key FROM subscriber WHERE email_key = ANY(%(keys)s)
UNION SELECT email_key FROM signup WHERE email_key = ANY(%(keys)s)
UNION SELECT email_key FROM address_change WHERE email_key = ANY(%(keys)s)
"""

_FIELDS = frozenset(field.name for field in fields(Subscription)) - {"topics"}


def subscription_by_id(where: Where, subscription_id: int) -> Subscription | None:
    found = rows(where, _BY_ID, {"id": subscription_id})
    return _subscription(found[0]) if found else None


def subscriptions_of(where: Where, key: str) -> tuple[Subscription, ...]:
    return tuple(_subscription(row) for row in rows(where, _BY_EMAIL, {"key": key}))


def known_addresses(where: Where, emails: Collection[str]) -> frozenset[str]:
    """Return those of subscribers, past ones too, or of people who asked to become one."""
    keys = list(map(email_key, emails))
    known = {row["email_key"] for row in rows(where, _KNOWN_ADDRESSES, {"keys": keys})}
    return frozenset(one for one in emails if email_key(one) in known)


def _subscription(row: Mapping[str, Any]) -> Subscription:
    values = {name: value for name, value in row.items() if name in _FIELDS}
    status = SubscriptionStatus(row["status"])
    values["status"] = SubscriptionStatus.ENDED if row["leaves"] else status
    values["frequency"] = Frequency(row["frequency"])
    values["tags"] = tuple(row["tags"])
    return Subscription(topics=TopicSet.of(row["slugs"]), **values)
