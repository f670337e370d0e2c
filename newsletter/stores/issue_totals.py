"""The totals of an issue, and what became of one letter."""

from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import DeliveryRecord, IssueTotals, Sums
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
          FROM batch
          JOIN delivery ON delivery.issue_id = %(issue)s
                       AND delivery.place BETWEEN batch.first_place AND batch.last_place
         WHERE batch.issue_id = %(issue)s
         GROUP BY 1""",
    "batches": """
        SELECT state AS word, count(*) FROM batch
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
    "exclusions": """
        SELECT reason AS word, count(*) FROM exclusion
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
    "skips": """
        SELECT skipped AS word, count(*) FROM delivery
         WHERE issue_id = %(issue)s AND skipped IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "refusals": """
        SELECT refused AS word, count(*) FROM delivery
         WHERE issue_id = %(issue)s AND refused IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "doubled": """
        SELECT id AS word, doubled AS count FROM batch
         WHERE issue_id = %(issue)s AND doubled > 0 ORDER BY 1""",
    "events": """
        SELECT state AS word, count(*) FROM delivery
         WHERE issue_id = %(issue)s GROUP BY 1 ORDER BY 1""",
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


_LETTER = """
    SELECT issue.id AS issue_id, issue.date, issue.number, delivery.place,
           edition.key AS edition_key, edition.brief_ids, batch.id AS batch_id,
           batch.state AS batch_state, batch.reason AS batch_reason,
           delivery.skipped, delivery.refused, delivery.left_after,
           COALESCE(delivery.state, 0) AS state,
           exclusion.reason AS exclusion
      FROM issue
      LEFT JOIN delivery ON delivery.issue_id = %(issue)s
                        AND delivery.subscriber_id = %(subscriber)s
      LEFT JOIN exclusion ON exclusion.issue_id = issue.id
                         AND exclusion.subscriber_id = %(subscriber)s
      LEFT JOIN LATERAL (SELECT * FROM batch
                          WHERE batch.issue_id = %(issue)s AND first_place <= delivery.place
                          ORDER BY first_place DESC LIMIT 1) AS batch ON true
      LEFT JOIN edition ON edition.id = batch.edition_id
     WHERE issue.id = %(issue)s
"""

#: The requests that held it: later ones were made without a delivery that was skipped or refused.
_ATTEMPTS = """
    SELECT number, started_at, finished_at, outcome, reason, message_id
      FROM attempt
     WHERE id IN (SELECT attempt_id FROM batch_attempt WHERE batch_id = %(batch)s)
       AND serial <= COALESCE(%(left_after)s::bigint, serial)
     ORDER BY serial
"""

_EVENTS = """
    SELECT kind, at, raw ->> 'reason' AS reason, raw ->> 'response' AS response
      FROM delivery_event WHERE issue_id = %(issue)s AND place = %(place)s
     ORDER BY at, kind <> 'processed', kind
"""


def trace(session: Session, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
    """Return what happened to a subscriber's letter; None if the issue never knew of them."""
    values = {"issue": issue_id, "subscriber": subscriber_id}
    found = rows(session, _LETTER, values)
    if not found or (found[0]["place"] is None and found[0]["exclusion"] is None):
        return None
    letter = found[0]
    letter["state"] = DeliveryState(letter["state"])
    letter["brief_ids"] = tuple(letter["brief_ids"] or ())
    held_by = {"batch": letter["batch_id"], "left_after": letter.pop("left_after")}
    return DeliveryRecord(
        **letter,
        attempts=tuple(rows(session, _ATTEMPTS, held_by)),
        events=tuple(rows(session, _EVENTS, {"issue": issue_id, "place": letter["place"]})),
    )
