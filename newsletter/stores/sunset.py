"""What readers were sent, as far as the sunset asks."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Engine, text

from newsletter.core.delivery import DeliveryState
from newsletter.core.transactional import TransactionalKind, TransactionalStatus

_DELIVERED = """
    SELECT subscription_id, count(*) AS letters
      FROM delivery JOIN issue ON issue.id = delivery.issue_id
     WHERE subscriber_id = ANY(:subscribers)
       AND delivery.state BETWEEN :delivered AND :clicked
       AND issue.planned_at >= :since
     GROUP BY subscription_id
"""

#: The letter is written after the question was noted, and never before.
_ARRIVED = """
    SELECT DISTINCT refers
      FROM correspondence
      JOIN unnest(CAST(:ids AS bigint[]), CAST(:moments AS timestamptz[])) AS asked (id, at)
        ON asked.id = refers AND created_at >= asked.at
     WHERE kind = :kind AND state = :accepted
"""


class LettersSent:
    """`subscribers.sunset.service.Post` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def delivered(self, subscriber_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        """Count, by subscription, the letters planned since that a mailbox took."""
        values = {
            "subscribers": list(subscriber_ids),
            "since": since,
            "delivered": DeliveryState.DELIVERED,
            "clicked": DeliveryState.CLICKED,
        }
        with self._engine.begin() as connection:
            rows = connection.execute(text(_DELIVERED), values)
            return {row.subscription_id: row.letters for row in rows}

    def arrived(self, asked: Mapping[int, datetime]) -> Collection[int]:
        """Return, of subscriptions asked at a moment, those whose question SendGrid took."""
        values = {
            "ids": list(asked),
            "moments": list(asked.values()),
            "kind": TransactionalKind.STILL_WANTED,
            "accepted": TransactionalStatus.ACCEPTED,
        }
        with self._engine.begin() as connection:
            return frozenset(connection.execute(text(_ARRIVED), values).scalars())
