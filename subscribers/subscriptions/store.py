"""The subscribers' store: short transactions of set-based SQL behind the house's port."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from subscribers.addresses import email_key
from subscribers.db import consent_acts
from subscribers.db.connection import rows, statement, transaction
from subscribers.model import (
    AudienceCounts,
    Change,
    ConsentAct,
    Frequency,
    LinkKey,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.rules.suppression import LADDER
from subscribers.subscriptions.choices import CHANGES
from subscribers.subscriptions.engagement import engage
from subscribers.subscriptions.suppression import LIFT, SUPPRESS, SUPPRESSIONS

_SUBSCRIPTION = """
SELECT subscription.id, subscriber_id, email, name, newsletter, slugs, zone, status, link_key,
       frequency, paused_at, paused_until, tags, source, subscription.created_at, engaged_on,
       subscription.asked_at,
       undone_at,
       CASE WHEN heir_subscriber_id IS NOT NULL AND status = 'ended' THEN (
           SELECT heir.id FROM subscription AS heir
           WHERE heir.subscriber_id = subscription.heir_subscriber_id
             AND heir.newsletter = subscription.newsletter
       ) END AS heir_id
FROM subscription
JOIN subscriber ON subscriber.id = subscriber_id
JOIN topic_set ON topic_set.id = topic_set_id
"""

_TOPIC_SET = "INSERT INTO topic_set (slugs) VALUES (%(slugs)s) ON CONFLICT DO NOTHING"

_CHOOSE = """
WITH chosen AS (
    UPDATE subscription SET topic_set_id = topic_set.id
    FROM topic_set
    WHERE slugs = %(slugs)s AND subscription.id = %(id)s AND topic_set_id <> topic_set.id
    RETURNING subscriber_id, newsletter
)
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
SELECT subscriber_id, newsletter, %(at)s, %(act)s, %(source)s, %(detail)s FROM chosen
"""

# Locked in the one order of all writers of this table.
_WAKE = """
UPDATE subscription SET paused_at = NULL, paused_until = NULL
WHERE id IN (
    SELECT id FROM subscription WHERE paused_at IS NOT NULL AND paused_until <= %(now)s
    ORDER BY id FOR NO KEY UPDATE
)
"""

_COUNTS = """
SELECT count(*) FILTER (WHERE exclusion IS NULL) AS mailable,
       count(*) FILTER (WHERE exclusion = 'suppressed') AS suppressed,
       count(*) FILTER (WHERE exclusion = 'ended') AS ended,
       count(*) FILTER (WHERE exclusion = 'paused') AS paused
FROM audience WHERE newsletter = %(newsletter)s
"""


class PostgresStore:
    """A `subscribers.ports.SubscriberStore` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _read(self, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        with statement(self._engine) as connection:
            return rows(connection, query, values)

    def subscription(self, subscription_id: int) -> Subscription | None:
        """Return the subscription of this number."""
        query = _SUBSCRIPTION + "WHERE subscription.id = %(id)s"
        rows = self._read(query, {"id": subscription_id})
        return _subscription(rows[0]) if rows else None

    def subscriptions_of(self, email_key: str) -> tuple[Subscription, ...]:
        """Return the subscriptions of this address, one a newsletter."""
        query = _SUBSCRIPTION + "WHERE email_key = %(key)s ORDER BY newsletter"
        return tuple(_subscription(row) for row in self._read(query, {"key": email_key}))

    def act(
        self, subscription_ids: Collection[int], act: ConsentAct, *, at: datetime, source: str
    ) -> int:
        """Move subscriptions as the act moves them, with evidence; return how many it moved."""
        with statement(self._engine) as connection:
            return consent_acts.act(connection, subscription_ids, act, at=at, source=source)

    def choose(self, subscription_id: int, topics: TopicSet, *, at: datetime, source: str) -> None:
        """Keep another choice of topics, with evidence; the same choice again is nothing."""
        slugs = sorted(topics.slugs)
        values = {
            "act": ConsentAct.CHOSE.value,
            "at": at,
            "detail": Jsonb({"topics": slugs}),
            "id": subscription_id,
            "slugs": slugs,
            "source": source,
        }
        with transaction(self._engine) as connection:
            connection.execute(_TOPIC_SET, values)
            connection.execute(_CHOOSE, values)

    def change(
        self, subscription_id: int, what: Change, to: object, *, at: datetime, actor: str
    ) -> bool:
        """Make a change and keep its record; False, and no record, if nothing changed."""
        values = {
            "actor": actor,
            "at": at,
            "id": subscription_id,
            "to": Jsonb(to) if isinstance(to, dict) else to,
            "what": what.value,
        }
        with statement(self._engine) as connection:
            return connection.execute(CHANGES[what].encode(), values).rowcount > 0

    def act_by_link(
        self,
        subscription_id: int,
        act: ConsentAct,
        allow: Callable[[LinkKey | None], str],
        *,
        at: datetime,
        source: str,
    ) -> str:
        """Move one subscription as `act` does, if `allow` raises nothing; return what it says.

        Two statements on one connection, and no transaction around them: the act alone writes.
        """
        with statement(self._engine) as connection:
            return consent_acts.act_by_link(
                connection, subscription_id, act, allow, at=at, source=source
            )

    def suppress(self, suppressions: Iterable[Suppression]) -> int:
        """Keep what is weightier than what stands; return how many addresses that concerned."""
        said = list(suppressions)
        values = {
            "keys": [email_key(each.email) for each in said],
            "ladder": [reason.value for reason in LADDER],
            "notes": [each.note for each in said],
            "reasons": [each.reason.value for each in said],
            "since": [each.since for each in said],
            "sources": [each.source for each in said],
        }
        with transaction(self._engine) as connection:
            return connection.execute(SUPPRESS, values).rowcount

    def suppression(self, email_key: str) -> Suppression | None:
        """Return why this address must not be written to."""
        rows = self._read("SELECT * FROM suppression WHERE email_key = %(key)s", {"key": email_key})
        return _suppression(rows[0]) if rows else None

    def lift(
        self, email_key: str, reasons: Collection[SuppressionReason], *, at: datetime
    ) -> Suppression | None:
        """Take an address off the list if it is there for one of these reasons; return it."""
        values = {"at": at, "key": email_key, "reasons": [reason.value for reason in reasons]}
        rows = self._read(LIFT, values)
        return _suppression(rows[0]) if rows else None

    def suppressions(
        self, reason: SuppressionReason | None, part: str, limit: int
    ) -> tuple[Suppression, ...]:
        """Return suppressions, the latest first: of a reason, with this part in the address."""
        values = {"limit": limit, "part": part, "reason": reason and reason.value}
        return tuple(_suppression(row) for row in self._read(SUPPRESSIONS, values))

    def suppression_counts(self) -> Mapping[SuppressionReason, int]:
        """Count the list by reason."""
        rows = self._read("SELECT reason, count(*) FROM suppression GROUP BY reason", {})
        found = {row["reason"]: row["count"] for row in rows}
        return {reason: found.get(reason.value, 0) for reason in SuppressionReason}

    def engage(self, subscription_ids: Collection[int], day: date) -> int:
        """Move the last day of a human open or click on; return for how many it moved."""
        with transaction(self._engine) as connection:
            return engage(connection, subscription_ids, day)

    def wake(self, now: datetime) -> int:
        """End the pauses that are over; return how many."""
        with transaction(self._engine) as connection:
            return connection.execute(_WAKE, {"now": now}).rowcount

    def counts(self, newsletter: str) -> AudienceCounts:
        """Count the newsletter's subscriptions by how they stand."""
        return AudienceCounts(**self._read(_COUNTS, {"newsletter": newsletter})[0])


def _subscription(row: Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=row["id"],
        subscriber_id=row["subscriber_id"],
        email=row["email"],
        newsletter=row["newsletter"],
        topics=TopicSet.of(row["slugs"]),
        zone=row["zone"],
        status=SubscriptionStatus(row["status"]),
        link_key=row["link_key"],
        name=row["name"],
        frequency=Frequency(row["frequency"]),
        paused_at=row["paused_at"],
        paused_until=row["paused_until"],
        tags=tuple(row["tags"]),
        source=row["source"],
        joined=row["created_at"],
        engaged_on=row["engaged_on"],
        asked_at=row["asked_at"],
        merged_into_id=row["heir_id"],
        undone_at=row["undone_at"],
    )


def _suppression(row: Mapping[str, Any]) -> Suppression:
    return Suppression(
        email=row["email_key"],
        reason=SuppressionReason(row["reason"]),
        source=row["source"],
        since=row["since"],
        note=row["note"],
    )
