"""The totals of an issue."""

from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import IssueTotals, Sums
from subscribers.db.transaction import rows

_NUMBERS = """
    SELECT issue.audience,
           (SELECT COALESCE(sum(size), 0) FROM batch WHERE issue_id = issue.id) AS deliveries,
           (SELECT count(*) FROM edition WHERE issue_id = issue.id) AS editions,
           (SELECT count(*) FROM attempt JOIN batch ON batch.id = batch_id
             WHERE issue_id = issue.id AND outcome <> 'not_sent') AS requests
      FROM issue WHERE issue.id = %(issue)s
"""

#: Each a count by a word. A delivery has its own state if it was skipped or refused by name, or
#: else its batch's.
_COUNTS = {
    "outcomes": """
        SELECT CASE WHEN delivery.skipped IS NOT NULL THEN 'skipped'
                    WHEN delivery.refused IS NOT NULL THEN 'refused'
                    WHEN batch.state IN ('planned', 'claimed') THEN 'to_go'
                    ELSE batch.state END AS word, count(*)
          FROM delivery JOIN batch ON batch.id = batch_id WHERE batch.issue_id = %(issue)s
         GROUP BY 1""",
    "batches": """
        SELECT state AS word, count(*) FROM batch
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
    "exclusions": """
        SELECT reason AS word, sum(cardinality(subscribers)) AS count FROM exclusion
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
    "skips": """
        SELECT skipped AS word, count(*) FROM delivery JOIN batch ON batch.id = batch_id
         WHERE batch.issue_id = %(issue)s AND skipped IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "refusals": """
        SELECT refused AS word, count(*) FROM delivery JOIN batch ON batch.id = batch_id
         WHERE batch.issue_id = %(issue)s AND refused IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "doubled": """
        SELECT id AS word, doubled AS count FROM batch
         WHERE issue_id = %(issue)s AND doubled > 0 ORDER BY 1""",
    "events": """
        SELECT delivery.state AS word, count(*) FROM delivery JOIN batch ON batch.id = batch_id
         WHERE batch.issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
}


_OUTCOMES = ("accepted", "refused", "unknown", "skipped", "to_go")


def issue_totals(session: Session, issue_id: int) -> IssueTotals:
    values = {"issue": issue_id}
    [numbers] = rows(session, _NUMBERS, values)
    counts: dict[str, dict[Any, int]] = {
        name: {row["word"]: row["count"] for row in rows(session, sql, values)}
        for name, sql in _COUNTS.items()
    }
    outcomes, events = counts.pop("outcomes"), counts.pop("events")
    return IssueTotals(
        sums=Sums(
            audience=numbers["audience"],
            excluded=sum(counts["exclusions"].values()),
            deliveries=numbers["deliveries"],
            doubled=sum(counts["doubled"].values()),
            **{word: outcomes.get(word, 0) for word in _OUTCOMES},
        ),
        editions=numbers["editions"],
        requests=numbers["requests"],
        events={DeliveryState(state).name.lower(): count for state, count in events.items()},
        **counts,
    )
