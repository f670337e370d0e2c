"""Stopping an issue on its way, and counting what has gone wrong with it."""

from datetime import datetime

from sqlalchemy import Connection, Engine, text

from newsletter.core.sending_limits import FailureCounts
from newsletter.stores import delivery_sql

_CANCEL = """
    UPDATE issue SET state = 'cancelled', reason = :reason
     WHERE id = :issue AND state IN ('sending', 'paused') RETURNING id
"""

#: What has not left of a cancelled issue never will. A batch in hand when the issue was cancelled
#: may come back as planned, after a refusal: hence every cancelled issue, each time.
_LEAVE_OUT = """
    WITH open AS (
        UPDATE batch SET state = 'void', reason = issue.reason
          FROM issue
         WHERE issue.id = batch.issue_id AND issue.state = 'cancelled' AND batch.state = 'planned'
        RETURNING batch.id, CASE WHEN issue.reason LIKE 'stale:%' THEN 'stale' ELSE 'cancelled' END
                            AS why)
    UPDATE delivery SET skipped = open.why FROM open
     WHERE delivery.batch_id = open.id AND delivery.skipped IS NULL AND delivery.refused IS NULL
"""

_STALE = """
    UPDATE issue
       SET state = 'cancelled', reason = 'stale: its news was no longer fresh, so the rest stays'
     WHERE state IN ('sending', 'paused') AND send_by <= :now
       AND EXISTS (SELECT 1 FROM batch
                    WHERE batch.issue_id = issue.id AND batch.state = 'planned')
    RETURNING id
"""

#: After a person let an issue go on, only what was asked since counts.
_TROUBLE = """
    WITH answered AS (
        SELECT batch.id, batch.size, batch.state FROM batch JOIN issue ON issue.id = issue_id
         WHERE issue_id = :issue AND batch.state IN ('accepted', 'refused', 'unknown')
           AND (issue.resumed_at IS NULL
                OR EXISTS (SELECT 1 FROM attempt WHERE attempt.batch_id = batch.id
                                                   AND attempt.started_at >= issue.resumed_at))),
    troubled AS (
        SELECT count(*) FILTER (WHERE delivery.state = 70) AS bounced,
               count(*) FILTER (WHERE delivery.state = 90) AS complained,
               count(*) FILTER (WHERE delivery.refused IS NOT NULL) AS refused
          FROM delivery JOIN answered ON answered.id = delivery.batch_id)
    SELECT COALESCE(sum(size), 0) AS asked,
           COALESCE(sum(size) FILTER (WHERE state = 'unknown'), 0) AS unknown,
           COALESCE(sum(size) FILTER (WHERE state = 'refused'), 0)
               + (SELECT refused FROM troubled) AS refused,
           (SELECT bounced FROM troubled) AS bounced,
           (SELECT complained FROM troubled) AS complained
      FROM answered
"""


class SendingLimitStore:
    """BrakeStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pause(self, issue_id: int, reason: str, now: datetime) -> bool:
        """Let no further batch leave; False if the issue was not on its way."""
        values = {"issue": issue_id, "reason": reason, "told": f"paused: {reason}", "now": now}
        with self._engine.begin() as connection:
            return connection.execute(text(delivery_sql.PAUSE), values).first() is not None

    def cancel(self, issue_id: int, reason: str) -> bool:
        """Leave out whatever has not left; False if the issue was not on its way."""
        with self._engine.begin() as connection:
            values = {"issue": issue_id, "reason": reason}
            cancelled = connection.execute(text(_CANCEL), values).first() is not None
            _leave_out(connection)
            return cancelled

    def leave_out(self, now: datetime) -> int:
        """Cancel what is stale, and leave out what cancelled issues still hold."""
        with self._engine.begin() as connection:
            stale = connection.execute(text(_STALE), {"now": now}).all()
            _leave_out(connection)
            return len(stale)

    def trouble(self, issue_id: int) -> FailureCounts:
        """Count what has gone wrong with an issue so far."""
        with self._engine.begin() as connection:
            row = connection.execute(text(_TROUBLE), {"issue": issue_id}).mappings().one()
            return FailureCounts(**row)

    def sending(self) -> tuple[int, ...]:
        """Return the issues on their way."""
        with self._engine.begin() as connection:
            found = connection.execute(text("SELECT id FROM issue WHERE state = 'sending'"))
            return tuple(found.scalars())


def _leave_out(connection: Connection) -> None:
    connection.execute(text(_LEAVE_OUT))
