"""The outbox of letters to one person: written down, held by one worker, answered for."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from newsletter.core.transactional import (
    TransactionalDisposition,
    TransactionalEmail,
    TransactionalKind,
)
from newsletter.stores.delivery_sql import CLOSE_POST_OFFICE

_WRITE = """
    INSERT INTO correspondence (newsletter, kind, refers, created_at)
    VALUES (:newsletter, :kind, :refers, :now)
"""

#: Who waits at a page comes before who was asked out of the blue.
_CLAIM = """
    UPDATE correspondence
       SET state = 'claimed', attempts = attempts + 1, lease_until = :lease_until,
           not_before = NULL
     WHERE id = (
        SELECT id FROM correspondence
         WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= :now)
           AND NOT EXISTS (SELECT FROM post_office WHERE closed_until > :now)
         ORDER BY kind = 'still_wanted', id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, newsletter, refers, attempts, created_at
"""

# An answer that comes after its lease ran out is still an answer.
_RECORD = """
    UPDATE correspondence
       SET state = :state, reason = nullif(:reason, ''), message_id = nullif(:message_id, ''),
           not_before = :not_before, lease_until = NULL
     WHERE id = :id AND attempts = :attempt AND state IN ('claimed', 'unknown')
"""

_EXPIRE = """
    UPDATE correspondence
       SET state = 'unknown', lease_until = NULL, reason = 'the worker died before it told'
     WHERE state = 'claimed' AND lease_until <= :now
"""


class TransactionalStore:
    """`newsletter.services.transactional.Outbox` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, kind: TransactionalKind, newsletter: str, refers: int, now: datetime) -> None:
        """Write down that a letter is to leave."""
        values = {"kind": kind, "newsletter": newsletter, "now": now, "refers": refers}
        self._run(_WRITE, values)

    def claim(self, now: datetime, lease: timedelta) -> TransactionalEmail | None:
        """Hold the next letter that may leave now; None when there is none."""
        with self._engine.begin() as connection:
            values = {"now": now, "lease_until": now + lease}
            row = connection.execute(text(_CLAIM), values).one_or_none()
        if row is None:
            return None
        return TransactionalEmail(
            id=row.id,
            kind=TransactionalKind(row.kind),
            newsletter=row.newsletter,
            refers=row.refers,
            attempt=row.attempts,
            written_at=row.created_at,
        )

    def record(self, errand: TransactionalEmail, fate: TransactionalDisposition) -> None:
        """Write down what became of a letter."""
        values = {
            "attempt": errand.attempt,
            "id": errand.id,
            "message_id": fate.message_id,
            "not_before": fate.not_before,
            "reason": fate.reason,
            "state": fate.state,
        }
        with self._engine.begin() as connection:
            connection.execute(text(_RECORD), values)
            if fate.closed_until:
                connection.execute(text(CLOSE_POST_OFFICE), {"closed_until": fate.closed_until})

    def expire(self, now: datetime) -> int:
        """Name as unknown what a dead worker held; return how many."""
        return self._run(_EXPIRE, {"now": now})

    def _run(self, statement: str, values: dict[str, Any]) -> int:
        with self._engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount
