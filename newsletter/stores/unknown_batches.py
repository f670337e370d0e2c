"""Batches whose answer was lost."""

from datetime import datetime

from sqlalchemy import Connection, Engine, text

from newsletter.core.reconciliation import Probe, Resolution, UnknownBatch
from newsletter.stores import delivery_sql
from newsletter.stores.acceptance import finish, prove

#: A batch that was split off was asked for in the attempts before it, too. `others_heard` looks for
#: one event of a batch that was asked no sooner; it stops at the first.
_UNKNOWN = """
    SELECT batch.id AS batch_id, batch.issue_id, issue.newsletter, batch.size,
           COALESCE(batch.reason, '') AS reason, batch.attempts, asked.at AS asked, asked.lost,
           EXISTS (SELECT 1 FROM attempt other
                     JOIN delivery ON delivery.batch_id = other.batch_id AND delivery.state > 0
                    WHERE other.started_at >= asked.at AND other.batch_id <> batch.id)
           AS others_heard
      FROM batch
      JOIN issue ON issue.id = batch.issue_id
      JOIN LATERAL (SELECT max(started_at) AS at,
                           count(*) FILTER (WHERE outcome IS NULL OR outcome = 'unknown') AS lost
                      FROM (SELECT * FROM attempt WHERE batch_id = batch.id
                             UNION ALL
                            SELECT earlier.* FROM split_from
                              JOIN attempt earlier ON earlier.id = split_from.attempt_id
                             WHERE split_from.batch_id = batch.id) AS attempt) AS asked ON true
     WHERE batch.state = 'unknown'
     ORDER BY asked.at
"""

_ATTEMPTS = """
    SELECT (SELECT issue_id FROM batch WHERE id = :batch) AS issue_id, array_agg(id) AS ids,
           min(started_at) AS since, max(started_at) AS until
      FROM attempt
     WHERE batch_id = :batch
        OR id IN (SELECT attempt_id FROM split_from WHERE batch_id = :batch)
"""

#: A few are asked about, not one: an address may have changed since. Capitals come last, because
#: nobody says whether Email Logs keep them.
_EMAILS = """
    SELECT email FROM delivery JOIN addressee USING (subscription_id)
     WHERE batch_id = :batch AND skipped IS NULL AND refused IS NULL
     ORDER BY email <> lower(email), delivery.id LIMIT :count
"""
_PROBED = 3

_WITNESS = """
    SELECT batch_id FROM attempt
     WHERE outcome = 'accepted' AND started_at >= :asked AND batch_id <> :batch
     ORDER BY started_at LIMIT 1
"""

_STATES = {
    Resolution.ACCEPTED: "accepted",
    Resolution.RESEND: "planned",
    Resolution.REFUSED: "refused",
}

_SETTLE = """
    UPDATE batch SET state = :state, reason = :reason, not_before = NULL
     WHERE id = :batch AND state = 'unknown'
       AND attempts = COALESCE(CAST(:attempts AS integer), attempts)
    RETURNING issue_id
"""

#: Which of its lost requests was accepted, a person cannot say: one that it shared with another
#: batch, before both were split, may have reached the other's readers, too.
_DOUBT_SIBLINGS = """
    WITH lost AS (
        SELECT id FROM attempt
         WHERE (outcome IS NULL OR outcome = 'unknown')
           AND (batch_id = :batch
                OR id IN (SELECT attempt_id FROM split_from WHERE batch_id = :batch)))
    UPDATE batch SET state = 'unknown', not_before = NULL,
           reason = 'it was asked for in a lost request with one that was accepted'
     WHERE id IN (SELECT id FROM batch
                   WHERE state = 'planned' AND id <> :batch
                     AND id IN (SELECT batch_id FROM attempt JOIN lost USING (id)
                                 UNION ALL
                                SELECT batch_id FROM split_from
                                  JOIN lost ON lost.id = attempt_id)
                   ORDER BY id FOR NO KEY UPDATE)
"""

_GO_ON = """
    UPDATE issue SET state = 'sending' WHERE id = :issue AND state = 'sent' AND :state = 'planned'
"""


class UnknownBatchStore:
    """UnknownStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unknown(self) -> tuple[UnknownBatch, ...]:
        """Return all of them, the oldest first, with what has been heard since."""
        with self._engine.begin() as connection:
            connection.execute(text(delivery_sql.LOOK_UP))
            rows = connection.execute(text(_UNKNOWN)).mappings()
            return tuple(UnknownBatch(**row) for row in rows)

    def settle(
        self, batch_id: int, ruling: Resolution, reason: str, attempts: int | None = None
    ) -> bool:
        """Settle an unknown batch; False if it is not, or if it was asked for again since."""
        values = {
            "attempts": attempts,
            "batch": batch_id,
            "reason": reason,
            "state": _STATES[ruling],
        }
        with self._engine.begin() as connection:
            settled = connection.execute(text(_SETTLE), values).first()
            if settled is None:
                return False
            if ruling is Resolution.ACCEPTED:
                connection.execute(text(_DOUBT_SIBLINGS), values)
            values["issue"] = settled.issue_id
            connection.execute(text(_GO_ON), values)
            return True

    def probe(self, batch_id: int) -> Probe:
        """Return what Email Logs are asked about a batch."""
        with self._engine.begin() as connection:
            return _probe(connection, batch_id)

    def witness(self, batch: UnknownBatch) -> Probe | None:
        """Return the same of another batch, surely accepted, that was asked no sooner."""
        values = {"batch": batch.batch_id, "asked": batch.asked}
        with self._engine.begin() as connection:
            other = connection.execute(text(_WITNESS), values).scalar()
            return None if other is None else _probe(connection, other)

    def prove(self, attempt_id: str, now: datetime) -> bool:
        """Keep that Email Logs show an attempt; False if its batch was settled before."""
        with self._engine.begin() as connection:
            settled = prove(connection, [attempt_id], now, witness="Email Logs show")
        if settled:
            finish(self._engine)
        return bool(settled)


def _probe(connection: Connection, batch_id: int) -> Probe:
    connection.execute(text(delivery_sql.LOOK_UP))
    asked = connection.execute(text(_ATTEMPTS), {"batch": batch_id}).one()
    emails = connection.execute(text(_EMAILS), {"batch": batch_id, "count": _PROBED})
    return Probe(
        batch_id=batch_id,
        issue_id=asked.issue_id,
        attempt_ids=frozenset(asked.ids),
        emails=tuple(emails.scalars()),
        since=asked.since,
        until=asked.until,
    )
