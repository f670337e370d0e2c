"""The counters of a batch's deliveries, which figures are made of: `issue_audit` must agree.

See docs/decisions/figures-are-counters.md.
"""

from collections.abc import Collection
from typing import Any

from sqlmodel import Session

from subscribers.db.transaction import execute, rows

#: Whoever recounts a batch has locked it in an earlier statement: this one sees all that others
#: did to its deliveries before.
_RECOUNT = """
    WITH counted AS (
        SELECT batch_id, count(skipped) AS skipped,
               count(refused) FILTER (WHERE skipped IS NULL) AS refused
          FROM delivery WHERE batch_id = ANY(%(batches)s) GROUP BY batch_id)
    UPDATE batch SET skipped_count = counted.skipped, refused_count = counted.refused
      FROM counted WHERE batch.id = counted.batch_id
"""

_LOCK_REFUSED = """
    SELECT id FROM batch
     WHERE id IN (SELECT batch_id FROM delivery
                   WHERE id = ANY(%(deliveries)s) AND refused IS NOT NULL)
     ORDER BY id FOR NO KEY UPDATE
"""


def recount(session: Session, batch_ids: Collection[int]) -> None:
    """Count anew what is skipped and refused of batches that this transaction has locked."""
    if batch_ids:
        execute(session, _RECOUNT, {"batches": sorted(batch_ids)})


def lock_refused(session: Session, delivery_ids: Collection[int]) -> tuple[int, ...]:
    """Lock the batches of those of these deliveries that were refused; return them."""
    values: dict[str, Any] = {"deliveries": list(delivery_ids)}
    return tuple(row["id"] for row in rows(session, _LOCK_REFUSED, values))
