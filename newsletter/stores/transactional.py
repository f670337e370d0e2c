"""The queue of transactional emails: each is claimed once, and its outcome recorded."""

from datetime import datetime, timedelta

from sqlmodel import col, update

from newsletter.core.transactional import (
    TransactionalDisposition,
    TransactionalEmail,
    TransactionalKind,
    TransactionalStatus,
)
from newsletter.stores.send_window import close_window
from newsletter.stores.tables import TransactionalEmailRow
from subscribers.db.transaction import DatabaseStore, execute, transaction

# One that waits for somebody who has another address by now is dropped, and stops no other one.
_DROP = """
    UPDATE transactional_email SET state = 'void', reason = 'its address was changed'
     WHERE kind = %(kind)s AND refers = %(refers)s AND state = 'waiting'
       AND addressee <> %(addressee)s
"""
_QUEUE = """
    INSERT INTO transactional_email (kind, priority, newsletter, refers, addressee, created_at)
    VALUES (%(kind)s, %(priority)s, %(newsletter)s, %(refers)s, %(addressee)s, %(now)s)
    ON CONFLICT (kind, refers) WHERE state IN ('waiting', 'claimed') DO NOTHING
"""

_CLAIM = """
    UPDATE transactional_email
       SET state = 'claimed', attempts = attempts + 1, lease_until = %(lease_until)s,
           not_before = NULL
     WHERE id = (
        SELECT id FROM transactional_email
         WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= %(now)s)
           AND NOT EXISTS (SELECT FROM send_window WHERE closed_until > %(now)s)
         ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, newsletter, refers, addressee, attempts AS attempt, created_at AS queued_at,
              (SELECT id FROM installation) AS installation_id
"""


class TransactionalStore(DatabaseStore):
    """Stores transactional emails until they are sent, and what became of each."""

    def queue(
        self,
        kind: TransactionalKind,
        newsletter: str,
        refers: int,
        *,
        addressee: bytes,
        now: datetime,
    ) -> None:
        """Queue an email, unless one of this kind about the same waits or is under way."""
        values = {
            "kind": kind.value,
            "priority": kind.priority,
            "newsletter": newsletter,
            "refers": refers,
            "addressee": addressee,
            "now": now,
        }
        with transaction(self._engine) as session:
            execute(session, _DROP, values)
            execute(session, _QUEUE, values)

    def claim(self, now: datetime, lease: timedelta) -> TransactionalEmail | None:
        """Claim the next email that may be sent now; None when there is none."""
        found = self._rows(_CLAIM, now=now, lease_until=now + lease)
        if not found:
            return None
        kind = TransactionalKind(found[0].pop("kind"))
        return TransactionalEmail(kind=kind, **found[0])

    def record(self, email: TransactionalEmail, disposition: TransactionalDisposition) -> None:
        # An answer that comes after its lease ran out still counts.
        answerable = [TransactionalStatus.CLAIMED, TransactionalStatus.UNKNOWN]
        recorded = (
            update(TransactionalEmailRow)
            .where(
                col(TransactionalEmailRow.id) == email.id,
                col(TransactionalEmailRow.attempts) == email.attempt,
                col(TransactionalEmailRow.state).in_(answerable),
            )
            .values(
                state=disposition.state,
                reason=disposition.reason or None,
                message_id=disposition.message_id or None,
                not_before=disposition.not_before,
                lease_until=None,
            )
        )
        with transaction(self._engine) as session:
            session.exec(recorded)
            if disposition.closed_until:
                close_window(session, disposition.closed_until)

    def expire_leases(self, now: datetime) -> int:
        """Record as unknown what a dead worker had claimed; return how many."""
        lost = "the worker died before it recorded an answer"
        expired = (
            update(TransactionalEmailRow)
            .where(
                col(TransactionalEmailRow.state) == TransactionalStatus.CLAIMED,
                col(TransactionalEmailRow.lease_until) <= now,
            )
            .values(state=TransactionalStatus.UNKNOWN, lease_until=None, reason=lost)
        )
        with transaction(self._engine) as session:
            return session.exec(expired).rowcount
