"""What the newsletter house keeps of one person: their issues, letters and events."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from newsletter.core.history import IssueRecord, TransactionalRecord
from newsletter.stores.issue_totals import trace

# Exclusions are found by issue: there are few issues, and each exclusion by its key.
_ISSUES = """
    SELECT known.subscriber_id, issue.id, issue.newsletter, issue.planned_at
      FROM (SELECT subscriber_id, issue_id FROM delivery WHERE subscriber_id = ANY(:people)
             UNION
            SELECT person, issue.id
              FROM issue CROSS JOIN unnest(CAST(:people AS bigint[])) AS person
             WHERE EXISTS (SELECT FROM exclusion
                            WHERE issue_id = issue.id AND subscriber_id = person)) AS known
      JOIN issue ON issue.id = known.issue_id
     ORDER BY issue.planned_at, issue.id, known.subscriber_id
"""

_OWN = """
    (kind = 'confirmation' AND refers = ANY(:signups))
    OR (kind = 'address' AND refers = ANY(:address_changes))
    OR (kind NOT IN ('confirmation', 'address') AND refers = ANY(:subscriptions))
"""

_LETTERS = f"""
    SELECT newsletter, kind, created_at AS at, state, reason
      FROM correspondence WHERE {_OWN} ORDER BY id
"""  # noqa: S608  # this module's own pieces

#: Deliveries stay, as numbers that say nothing of anybody, so that every issue still adds up. A
#: subscription 0 marks them: what SendGrid yet tells of them is kept without its words.
_FORGET = (
    """
    DELETE FROM delivery_event
     WHERE delivery_id IN (SELECT id FROM delivery WHERE subscriber_id = ANY(:people))
    """,
    "DELETE FROM soft_bounce WHERE subscriber_id = ANY(:people)",
    """
    UPDATE delivery SET subscription_id = 0
      FROM (SELECT id FROM delivery WHERE subscriber_id = ANY(:people) AND subscription_id <> 0
             ORDER BY id FOR NO KEY UPDATE) AS held
     WHERE delivery.id = held.id
    """,
    f"DELETE FROM correspondence WHERE {_OWN}",  # noqa: S608
)

_EXPIRE = """
    DELETE FROM delivery_event WHERE event_id IN (
        SELECT event_id FROM delivery_event WHERE received_at < :before LIMIT :portion)
"""


class PersonHistory:
    """A `newsletter.services.people.Letters` on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def issues(self, subscriber_ids: Collection[int]) -> tuple[IssueRecord, ...]:
        """Return what became of every issue that knew of them."""
        with self._engine.begin() as connection:
            return tuple(_issues(connection, list(subscriber_ids)))

    def correspondence(
        self,
        *,
        signup_ids: Collection[int],
        address_change_ids: Collection[int],
        subscription_ids: Collection[int],
    ) -> tuple[TransactionalRecord, ...]:
        """Return the letters to them alone."""
        values = _own(signup_ids, address_change_ids, subscription_ids)
        with self._engine.begin() as connection:
            found = connection.execute(text(_LETTERS), values).mappings()
            return tuple(TransactionalRecord(**row) for row in found)

    def forget(
        self,
        subscriber_ids: Collection[int],
        *,
        signup_ids: Collection[int],
        address_change_ids: Collection[int],
        subscription_ids: Collection[int],
    ) -> None:
        """Delete what was heard of their letters, and let their deliveries be mere numbers."""
        values = _own(signup_ids, address_change_ids, subscription_ids)
        with self._engine.begin() as connection:
            for statement in _FORGET:
                connection.execute(text(statement), {**values, "people": list(subscriber_ids)})

    def expire_events(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the events received before; return how many."""
        with self._engine.begin() as connection:
            values = {"before": before, "portion": portion}
            return connection.execute(text(_EXPIRE), values).rowcount


def _issues(connection: Connection, people: list[int]) -> Iterator[IssueRecord]:
    for row in connection.execute(text(_ISSUES), {"people": people}).all():
        if record := trace(connection, row.subscriber_id, row.id):
            yield IssueRecord(newsletter=row.newsletter, planned_at=row.planned_at, record=record)


def _own(
    signup_ids: Collection[int],
    address_change_ids: Collection[int],
    subscription_ids: Collection[int],
) -> dict[str, Any]:
    return {
        "signups": list(signup_ids),
        "address_changes": list(address_change_ids),
        "subscriptions": list(subscription_ids),
    }
