"""How many letters were sent and delivered: for the sunset, and for the health of a list."""

from collections.abc import Collection, Mapping
from datetime import datetime

from newsletter.core.delivery import DeliveryState
from newsletter.core.transactional import TransactionalKind, TransactionalStatus
from subscribers.db.transaction import DatabaseStore

_DELIVERED = """
    SELECT subscription_id, count(*) AS letters
      FROM issue CROSS JOIN LATERAL (
           SELECT subscription_id FROM delivery
            WHERE delivery.issue_id = issue.id AND subscriber_id = ANY(%(subscribers)s)
              AND delivery.state BETWEEN %(lowest)s AND %(highest)s
           OFFSET 0) AS letter
     WHERE issue.planned_at >= %(since)s
     GROUP BY subscription_id
"""

#: The email is queued after the question was recorded, and never before.
_ARRIVED = """
    SELECT DISTINCT refers
      FROM transactional_email
      JOIN unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS asked (id, at)
        ON asked.id = refers AND created_at >= asked.at
     WHERE kind = %(kind)s AND state = %(accepted)s
"""

#: Who got the letters of old issues is no longer known: perhaps all whom their list had then.
_WRITTEN_TO = """
    SELECT subscriber_id
      FROM issue CROSS JOIN LATERAL (
           SELECT subscriber_id FROM delivery
            WHERE delivery.issue_id = issue.id AND subscriber_id = ANY(%(subscribers)s)
           OFFSET 0) AS letter
     WHERE issue.planned_at IS NOT NULL
     UNION
    SELECT subscriber_id FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
     WHERE subscriber_id = ANY(%(subscribers)s) AND EXISTS (
           SELECT FROM issue JOIN issue_summary ON issue_id = issue.id
            WHERE issue.list = subscription.newsletter
              AND planned_at >= subscriber.created_at
              AND planned_at < COALESCE(undone_at, 'infinity'))
"""

_ACCEPTED = """
    SELECT COALESCE(sum(size), 0) AS letters FROM issue JOIN batch ON batch.issue_id = issue.id
     WHERE issue.list = %(list)s AND issue.planned_at >= %(since)s AND batch.state = 'accepted'
"""


class SentLetters(DatabaseStore):
    """Counts letters that were accepted or delivered."""

    def delivered(self, subscriber_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        """Count, by subscription, the letters planned since that a mailbox took."""
        states = {"lowest": DeliveryState.DELIVERED, "highest": DeliveryState.CLICKED}
        found = self._rows(_DELIVERED, subscribers=list(subscriber_ids), since=since, **states)
        return {row["subscription_id"]: row["letters"] for row in found}

    def arrived(self, asked: Mapping[int, datetime]) -> Collection[int]:
        """Return, of subscriptions asked at a moment, those whose question SendGrid took."""
        values = {
            "ids": list(asked),
            "moments": list(asked.values()),
            "kind": TransactionalKind.STILL_WANTED,
            "accepted": TransactionalStatus.ACCEPTED,
        }
        return frozenset(row["refers"] for row in self._rows(_ARRIVED, **values))

    def accepted_since(self, newsletter: str, since: datetime) -> int:
        """Return how many letters SendGrid took of issues to this newsletter's list."""
        [row] = self._rows(_ACCEPTED, list=newsletter, since=since)
        return int(row["letters"])

    def written_to(self, subscriber_ids: Collection[int]) -> Collection[int]:
        """Return which of these subscribers have, or may have had, a delivery of any issue."""
        found = self._rows(_WRITTEN_TO, subscribers=list(subscriber_ids))
        return frozenset(row["subscriber_id"] for row in found)
