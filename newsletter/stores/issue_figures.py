"""How far an issue has come, from counters only: no delivery is read, however many there are.

`issue_audit` is the exact audit. See docs/decisions/figures-are-counters.md.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.core.leaving import RATE_WINDOW, LeavingBatch, LeavingFigures
from newsletter.core.stored import IssueStatus
from newsletter.stores.issue_totals import sum_up
from newsletter.stores.look_up import LOOK_UP
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

_ATTEMPTS = """
    WITH asked AS MATERIALIZED (
        SELECT batch_id, serial, attempt.outcome, attempt.reason, recipients, started_at,
               finished_at
          FROM batch JOIN attempt ON batch_id = batch.id WHERE batch.issue_id = %(issue)s)
    SELECT batch.id AS batch_id, batch.ordinal, edition.key AS edition, latest.recipients AS size,
           batch.state, COALESCE(latest.outcome, '') AS answer,
           COALESCE(latest.reason, '') AS reason,
           EXTRACT(epoch FROM COALESCE(finished_at, %(now)s) - started_at)::float8 AS seconds,
           (SELECT COALESCE(sum(recipients), 0) FROM asked
             WHERE outcome = 'accepted' AND finished_at > %(since)s)::bigint AS recent,
           EXTRACT(epoch FROM %(now)s - greatest(%(since)s, (SELECT min(started_at) FROM asked)))
               ::float8 AS window
      FROM (SELECT * FROM asked ORDER BY serial DESC LIMIT %(limit)s) AS latest
      JOIN batch ON batch.id = latest.batch_id
      JOIN edition ON edition.id = batch.edition_id
     ORDER BY latest.serial DESC
"""

_SHORTEST = 1.0  #: seconds over which a rate says something


class IssueFigureStore(DatabaseStore):
    """Reads the counters of one issue."""

    def leaving(self, issue_id: int, now: datetime, *, batches: int = 10) -> LeavingFigures:
        """Return how far the sending of an issue has come, with the batches requested last."""
        values = {"issue": issue_id, "now": now, "since": now - RATE_WINDOW, "limit": batches}
        with transaction(self._engine, snapshot=True) as session:
            summed = sum_up(session, [issue_id])[issue_id]
            execute(session, LOOK_UP)
            attempts = rows(session, _ATTEMPTS, values)
        return LeavingFigures(
            state=IssueStatus(summed.issue_state),
            sums=summed.sums,
            claimed=summed.claimed,
            rate=_rate(attempts),
            batches=tuple(LeavingBatch(**_batch(row)) for row in attempts),
        )


def _rate(attempts: list[dict[str, Any]]) -> float:
    if not attempts:
        return 0.0
    return attempts[0]["recent"] / max(attempts[0]["window"], _SHORTEST)


def _batch(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in LeavingBatch.__dataclass_fields__}
