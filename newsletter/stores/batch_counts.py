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
        SELECT held.id, one.*
          FROM batch AS held CROSS JOIN LATERAL (
               SELECT count(skipped) AS skipped,
                      count(refused) FILTER (WHERE skipped IS NULL) AS refused
                 FROM delivery
                WHERE delivery.issue_id = held.issue_id
                  AND delivery.place BETWEEN held.first_place AND held.last_place) AS one
         WHERE held.id = ANY(%(batches)s))
    UPDATE batch SET skipped_count = counted.skipped, refused_count = counted.refused
      FROM counted WHERE batch.id = counted.id
"""

_LOCK_REFUSED = """
    SELECT id FROM batch
     WHERE id IN (SELECT held.id
                    FROM delivery CROSS JOIN LATERAL (
                         SELECT id FROM batch
                          WHERE issue_id = %(issue)s AND first_place <= delivery.place
                          ORDER BY first_place DESC LIMIT 1) AS held
                   WHERE delivery.issue_id = %(issue)s AND delivery.place = ANY(%(places)s)
                     AND refused IS NOT NULL)
     ORDER BY id FOR NO KEY UPDATE
"""


def recount(session: Session, batch_ids: Collection[int]) -> None:
    """Count anew what is skipped and refused of batches that this transaction has locked."""
    if batch_ids:
        execute(session, _RECOUNT, {"batches": sorted(batch_ids)})


def lock_refused(session: Session, issue_id: int, places: Collection[int]) -> tuple[int, ...]:
    """Lock the batches of those of these deliveries that were refused; return them."""
    values: dict[str, Any] = {"issue": issue_id, "places": list(places)}
    return tuple(row["id"] for row in rows(session, _LOCK_REFUSED, values))
