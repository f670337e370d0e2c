"""What is stored about one person besides their subscriptions: issues, emails and events."""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlmodel import Session

from newsletter.core.history import IssueRecord, TransactionalRecord
from newsletter.core.letter_release import ReleasedIssues
from newsletter.stores.issue_summaries import released_issues
from newsletter.stores.letter_traces import traces
from newsletter.stores.look_up import LOOK_UP
from newsletter.stores.partitions import detached, on_partition
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction
from subscribers.records.model import PersonIds

_OWN = """
    (kind = 'confirmation' AND refers = ANY(%(signups)s))
    OR (kind = 'address' AND refers = ANY(%(address_changes)s))
    OR (kind NOT IN ('confirmation', 'address') AND refers = ANY(%(subscriptions)s))
"""

_TRANSACTIONAL = f"""
    SELECT newsletter, kind, created_at AS at, state, reason
      FROM transactional_email WHERE {_OWN} ORDER BY id
"""  # noqa: S608  # this module's own pieces

#: Deliveries stay, as numbers that identify nobody, so that every issue still adds up. Subscription
#: 0 marks them: events that still arrive for them are stored without their content.
_ERASE = (
    (
        "delivery_event",
        """
        DELETE FROM delivery_event USING unnest(%(issues)s::integer[], %(places)s::integer[])
                                         AS letter (issue_id, place)
         WHERE delivery_event.issue_id = letter.issue_id AND delivery_event.place = letter.place
        """,
    ),
    ("soft_bounce", "DELETE FROM soft_bounce WHERE subscriber_id = ANY(%(people)s)"),
    (
        "delivery",
        """
        UPDATE delivery SET subscription_id = 0
          FROM unnest(%(issues)s::integer[], %(places)s::integer[]) AS letter (issue_id, place)
         WHERE delivery.issue_id = letter.issue_id AND delivery.place = letter.place
           AND subscription_id <> 0
        """,
    ),
    ("transactional_email", f"DELETE FROM transactional_email WHERE {_OWN}"),  # noqa: S608  # our own text
)

#: Locked in one order. Issues are few, and in each a person's letter is found by key.
_LETTERS = """
    SELECT letter.*
      FROM (SELECT id FROM issue ORDER BY id) AS issue CROSS JOIN LATERAL (
           SELECT issue_id, place FROM delivery
            WHERE delivery.issue_id = issue.id AND subscriber_id = ANY(%(people)s)
            ORDER BY place FOR NO KEY UPDATE) AS letter
"""

#: No event comes before its issue is planned. Those that are about no delivery have issue 0.
_EXPIRE = """
    WITH old AS (
        SELECT event.*
          FROM (SELECT 0 AS id UNION ALL
                SELECT id FROM issue WHERE planned_at < %(before)s) AS issue
         CROSS JOIN LATERAL (
               SELECT issue_id, place, event_key FROM delivery_event
                WHERE delivery_event.issue_id = issue.id AND received_at < %(before)s
               OFFSET 0) AS event
         LIMIT %(portion)s)
    DELETE FROM delivery_event USING old
     WHERE delivery_event.issue_id = old.issue_id AND delivery_event.place = old.place
       AND delivery_event.event_key = old.event_key
"""


class PersonHistory(DatabaseStore):
    """Returns and erases what is stored about a person."""

    def issues(
        self,
        ids: PersonIds,
        *,
        most: int | None = None,
        newsletters: Collection[str] | None = None,
    ) -> tuple[IssueRecord, ...]:
        """Return what became of every issue that knew of them, or of so many of the newest.

        With `newsletters` of theirs only.
        """
        with transaction(self._engine, snapshot=True) as session:
            return traces(session, ids.subscriber_ids, most=most, newsletters=newsletters)

    def released(self) -> tuple[ReleasedIssues, ...]:
        """Return the issues of which it is no longer known who got them, by newsletter."""
        with transaction(self._engine) as session:
            return released_issues(session)

    def transactional(self, ids: PersonIds) -> tuple[TransactionalRecord, ...]:
        found = self._rows(_TRANSACTIONAL, **_values(ids))
        return tuple(TransactionalRecord(**row) for row in found)

    def erase(self, ids: PersonIds) -> None:
        """Delete their events and emails, and make their deliveries mere numbers."""
        with transaction(self._engine) as session:
            execute(session, LOOK_UP)
            letters = [
                row
                for sql in _with_detached(session, "delivery", _LETTERS)
                for row in rows(session, sql, _values(ids))
            ]
            values = _values(ids) | {
                "issues": [row["issue_id"] for row in letters],
                "places": [row["place"] for row in letters],
            }
            for table, statement in _ERASE:
                for sql in _with_detached(session, table, statement):
                    execute(session, sql, values)

    def expire_events(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the events received before; return how many."""
        with transaction(self._engine) as session:
            execute(session, LOOK_UP)
            return execute(session, _EXPIRE, {"before": before, "portion": portion})


def _with_detached(session: Session, table: str, statement: str) -> Iterator[str]:
    """Yield a statement, and the same about each partition that is detached and not dropped yet."""
    yield statement
    for partition in detached(session, table):
        yield on_partition(statement, table, partition)


def _values(ids: PersonIds) -> dict[str, list[int]]:
    return {
        "people": list(ids.subscriber_ids),
        "signups": list(ids.signup_ids),
        "address_changes": list(ids.address_change_ids),
        "subscriptions": list(ids.subscription_ids),
    }
