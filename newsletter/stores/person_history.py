"""What is stored about one person besides their subscriptions: issues, emails and events."""

from datetime import datetime

from newsletter.core.history import IssueRecord, TransactionalRecord
from newsletter.core.letter_release import ReleasedIssues
from newsletter.stores.issue_summaries import released_issues
from newsletter.stores.letter_traces import traces
from subscribers.db.transaction import DatabaseStore, execute, transaction
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
    """
    DELETE FROM delivery_event
     WHERE delivery_id IN (SELECT id FROM delivery WHERE subscriber_id = ANY(%(people)s))
    """,
    "DELETE FROM soft_bounce WHERE subscriber_id = ANY(%(people)s)",
    """
    UPDATE delivery SET subscription_id = 0
      FROM (SELECT id FROM delivery WHERE subscriber_id = ANY(%(people)s) AND subscription_id <> 0
             ORDER BY id FOR NO KEY UPDATE) AS held
     WHERE delivery.id = held.id
    """,
    f"DELETE FROM transactional_email WHERE {_OWN}",  # noqa: S608  # our own text
)

_EXPIRE = """
    DELETE FROM delivery_event WHERE event_id IN (
        SELECT event_id FROM delivery_event WHERE received_at < %(before)s LIMIT %(portion)s)
"""


class PersonHistory(DatabaseStore):
    """Returns and erases what is stored about a person."""

    def issues(self, ids: PersonIds) -> tuple[IssueRecord, ...]:
        """Return what became of every issue that knew of them."""
        with transaction(self._engine, snapshot=True) as session:
            return traces(session, ids.subscriber_ids)

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
            for statement in _ERASE:
                execute(session, statement, _values(ids))

    def expire_events(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the events received before; return how many."""
        return self._execute(_EXPIRE, before=before, portion=portion)


def _values(ids: PersonIds) -> dict[str, list[int]]:
    return {
        "people": list(ids.subscriber_ids),
        "signups": list(ids.signup_ids),
        "address_changes": list(ids.address_change_ids),
        "subscriptions": list(ids.subscription_ids),
    }
