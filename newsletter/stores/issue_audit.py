"""The sums of an issue counted delivery by delivery: what the counters must agree with.

It reads every delivery; `issue_totals` does not. See docs/decisions/figures-are-counters.md.
"""

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import Sums
from newsletter.stores.exclusions import count_exclusions
from newsletter.stores.issue_summaries import kept_totals
from subscribers.db.transaction import rows

#: A delivery has its own state if it was skipped or refused by name, or else its batch's.
_OUTCOMES = """
    SELECT CASE WHEN delivery.skipped IS NOT NULL THEN 'skipped'
                WHEN delivery.refused IS NOT NULL THEN 'refused'
                WHEN batch.state IN ('planned', 'claimed') THEN 'to_go'
                ELSE batch.state END AS word, count(*)
      FROM batch JOIN delivery ON delivery.issue_id = %(issue)s
                              AND delivery.place BETWEEN batch.first_place AND batch.last_place
     WHERE batch.issue_id = %(issue)s GROUP BY 1
"""

_NUMBERS = """
    SELECT issue.audience, COALESCE(sum(size), 0)::integer AS deliveries,
           COALESCE(sum(doubled), 0)::integer AS doubled
      FROM issue LEFT JOIN batch ON batch.issue_id = issue.id
     WHERE issue.id = %(issue)s GROUP BY issue.id
"""

_EVENTS = "SELECT state, count(*) FROM delivery WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1"

_OUTCOME_WORDS = ("accepted", "refused", "unknown", "skipped", "to_go")


def audit_sums(session: Session, issue_id: int) -> Sums:
    """Count what became of each delivery of an issue, while they are there."""
    if kept := kept_totals(session, issue_id):
        return kept.sums
    values = {"issue": issue_id}
    [numbers] = rows(session, _NUMBERS, values)
    found = {row["word"]: row["count"] for row in rows(session, _OUTCOMES, values)}
    return Sums(
        **numbers,
        excluded=count_exclusions(session, issue_id),
        **{word: found.get(word, 0) for word in _OUTCOME_WORDS},
    )


def audit_events(session: Session, issue_id: int) -> dict[str, int]:
    """Count the deliveries of an issue by the highest state that an event has shown."""
    found = rows(session, _EVENTS, {"issue": issue_id})
    return {DeliveryState(row["state"]).name.lower(): row["count"] for row in found}
