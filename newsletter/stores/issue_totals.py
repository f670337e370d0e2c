"""The totals of an issue, from counters: no delivery is read but those closed by name.

`issue_audit` counts delivery by delivery, and must agree.
See docs/decisions/figures-are-counters.md.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import IssueTotals, Sums
from newsletter.stores.issue_summaries import kept_totals
from subscribers.db.transaction import rows

#: A delivery has its own state if it was skipped or refused by name, or else its batch's.
_SUMS = """
    WITH part AS (
        SELECT state, size, skipped_count AS skipped, refused_count AS refused, doubled,
               size - skipped_count - refused_count AS as_batch
          FROM batch WHERE issue_id = %(issue)s)
    SELECT issue.state AS issue_state, issue.audience, issue.excluded, part.*
      FROM issue, (
        SELECT COALESCE(sum(size), 0) AS deliveries,
               COALESCE(sum(as_batch) FILTER (WHERE state = 'accepted'), 0) AS accepted,
               COALESCE(sum(as_batch) FILTER (WHERE state = 'unknown'), 0) AS unknown,
               COALESCE(sum(as_batch) FILTER (WHERE state = 'claimed'), 0) AS claimed,
               COALESCE(sum(as_batch) FILTER (WHERE state IN ('claimed', 'planned')), 0) AS to_go,
               COALESCE(sum(refused), 0)
                   + COALESCE(sum(as_batch) FILTER (WHERE state = 'refused'), 0) AS refused,
               COALESCE(sum(skipped), 0) AS skipped, COALESCE(sum(doubled), 0) AS doubled
          FROM part) AS part
     WHERE issue.id = %(issue)s
"""

_SUM_NAMES = (
    *("audience", "excluded", "deliveries", "accepted", "refused", "unknown", "skipped"),
    *("to_go", "doubled"),
)

#: The numbers of an issue's batches are near each other: requests of all issues are not read.
_NUMBERS = """
    WITH own AS MATERIALIZED (SELECT id FROM batch WHERE issue_id = %(issue)s)
    SELECT (SELECT count(*) FROM edition WHERE issue_id = %(issue)s) AS editions,
           (SELECT count(*) FROM attempt JOIN own ON own.id = batch_id
             WHERE batch_id BETWEEN (SELECT min(id) FROM own) AND (SELECT max(id) FROM own)
               AND outcome <> 'not_sent') AS requests
"""

#: Each a count by a word. The few deliveries that were closed by name have an index.
_COUNTS = {
    "batches": """
        SELECT state AS word, count(*) FROM batch
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
    "exclusions": """
        SELECT reason AS word, sum(cardinality(offsets)) AS count FROM exclusion
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
    "skips": """
        SELECT skipped AS word, count(*) FROM delivery
         WHERE issue_id = %(issue)s AND (skipped IS NOT NULL OR refused IS NOT NULL)
           AND skipped IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "refusals": """
        SELECT refused AS word, count(*) FROM delivery
         WHERE issue_id = %(issue)s AND (skipped IS NOT NULL OR refused IS NOT NULL)
           AND refused IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "doubled": """
        SELECT id AS word, doubled AS count FROM batch
         WHERE issue_id = %(issue)s AND doubled > 0 ORDER BY 1""",
}

_STATES = """
    SELECT state, count FROM delivery_state_count
     WHERE issue_id = %(issue)s AND count > 0 ORDER BY state
"""


def issue_totals(session: Session, issue_id: int) -> IssueTotals:
    """Return what is known of an issue's sending, or what was kept of that."""
    if kept := kept_totals(session, issue_id):
        return kept
    values = {"issue": issue_id}
    [numbers] = rows(session, _NUMBERS, values)
    counts: dict[str, dict[Any, int]] = {
        name: {row["word"]: int(row["count"]) for row in rows(session, sql, values)}
        for name, sql in _COUNTS.items()
    }
    sums = sums_of(sum_up(session, issue_id))
    return IssueTotals(
        sums=sums,
        editions=numbers["editions"],
        requests=numbers["requests"],
        events=_events(session, issue_id, sums),
        **counts,
    )


def sum_up(session: Session, issue_id: int) -> Mapping[str, Any]:
    """Return an issue's state and sums as its batches have them."""
    return rows(session, _SUMS, {"issue": issue_id})[0]


def sums_of(summed: Mapping[str, Any]) -> Sums:
    """Return the sums among these figures."""
    return Sums(**{name: int(summed[name]) for name in _SUM_NAMES})


def _events(session: Session, issue_id: int, sums: Sums) -> dict[str, int]:
    """Return the deliveries by state; those without a counter have had no event."""
    found = {r["state"]: r["count"] for r in rows(session, _STATES, {"issue": issue_id})}
    none = sums.deliveries - sum(found.values())
    counts = ({DeliveryState.NO_EVENTS.value: none} if none else {}) | found
    return {DeliveryState(state).name.lower(): count for state, count in counts.items()}
