"""Batches whose answer was lost."""

from sqlalchemy import Engine, text

from newsletter.adapters.stores import statements
from newsletter.core.settlement import Ruling, UnknownBatch

#: `others_heard` looks for one event of a batch that was asked no sooner; it stops at the first.
_UNKNOWN = """
    SELECT batch.id AS batch_id, batch.issue_id, issue.newsletter, batch.size,
           COALESCE(batch.reason, '') AS reason, asked.at AS asked, asked.lost,
           EXISTS (SELECT 1 FROM attempt other
                     JOIN delivery ON delivery.batch_id = other.batch_id AND delivery.state > 0
                    WHERE other.started_at >= asked.at AND other.batch_id <> batch.id)
           AS others_heard
      FROM batch
      JOIN issue ON issue.id = batch.issue_id
      JOIN LATERAL (SELECT max(started_at) AS at,
                           count(*) FILTER (WHERE outcome IS NULL OR outcome = 'unknown') AS lost
                      FROM attempt WHERE attempt.batch_id = batch.id) AS asked ON true
     WHERE batch.state = 'unknown'
     ORDER BY asked.at
"""

_STATES = {Ruling.ACCEPTED: "accepted", Ruling.RESEND: "planned", Ruling.REFUSED: "refused"}

_SETTLE = """
    UPDATE batch SET state = :state, reason = :reason, not_before = NULL
     WHERE id = :batch AND state = 'unknown' RETURNING issue_id
"""

_GO_ON = """
    UPDATE issue SET state = 'sending' WHERE id = :issue AND state = 'sent' AND :state = 'planned'
"""


class Unknowns:
    """UnknownStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unknown(self) -> tuple[UnknownBatch, ...]:
        """Return all of them, the oldest first, with what has been heard since."""
        with self._engine.begin() as connection:
            connection.execute(text(statements.LOOK_UP))
            rows = connection.execute(text(_UNKNOWN)).mappings()
            return tuple(UnknownBatch(**row) for row in rows)

    def settle(self, batch_id: int, ruling: Ruling, reason: str) -> bool:
        """Settle an unknown batch; False if it is not unknown any more."""
        values = {"batch": batch_id, "state": _STATES[ruling], "reason": reason}
        with self._engine.begin() as connection:
            settled = connection.execute(text(_SETTLE), values).first()
            if settled is None:
                return False
            values["issue"] = settled.issue_id
            connection.execute(text(_GO_ON), values)
            return True
