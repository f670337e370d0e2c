"""What an issue's sending came to, and what became of one letter: questions, never changes."""

from typing import Any

from sqlalchemy import Connection, text

from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import DeliveryRecord, IssueTotals, Sums

_NUMBERS = """
    SELECT issue.audience,
           (SELECT COALESCE(sum(size), 0) FROM batch WHERE issue_id = issue.id) AS deliveries,
           (SELECT count(*) FROM edition WHERE issue_id = issue.id) AS editions,
           (SELECT count(*) FROM attempt JOIN batch ON batch.id = batch_id
             WHERE issue_id = issue.id AND outcome IS NOT NULL) AS requests
      FROM issue WHERE issue.id = :issue
"""

#: Each a count by a word. A delivery stands as it was closed by name, or as its batch does.
_COUNTS = {
    "standing": """
        SELECT CASE WHEN delivery.skipped IS NOT NULL THEN 'skipped'
                    WHEN delivery.refused IS NOT NULL THEN 'refused'
                    WHEN batch.state IN ('planned', 'claimed') THEN 'to_go'
                    ELSE batch.state END, count(*)
          FROM delivery JOIN batch ON batch.id = batch_id WHERE batch.issue_id = :issue
         GROUP BY 1""",
    "batches": """
        SELECT state, count(*) FROM batch WHERE issue_id = :issue GROUP BY 1 ORDER BY 1""",
    "exclusions": """
        SELECT reason, count(*) FROM exclusion WHERE issue_id = :issue GROUP BY 1 ORDER BY 1""",
    "skips": """
        SELECT skipped, count(*) FROM delivery JOIN batch ON batch.id = batch_id
         WHERE batch.issue_id = :issue AND skipped IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "refusals": """
        SELECT refused, count(*) FROM delivery JOIN batch ON batch.id = batch_id
         WHERE batch.issue_id = :issue AND refused IS NOT NULL GROUP BY 1 ORDER BY 1""",
    "events": """
        SELECT delivery.state, count(*) FROM delivery JOIN batch ON batch.id = batch_id
         WHERE batch.issue_id = :issue GROUP BY 1 ORDER BY 1""",
}


def account(connection: Connection, issue_id: int) -> IssueTotals:
    """Return all sums of an issue."""
    values = {"issue": issue_id}
    numbers = connection.execute(text(_NUMBERS), values).one()
    counts: dict[str, dict[Any, int]] = {
        name: {row[0]: row[1] for row in connection.execute(text(sql), values)}
        for name, sql in _COUNTS.items()
    }
    standing, events = counts.pop("standing"), counts.pop("events")
    return IssueTotals(
        sums=Sums(
            audience=numbers.audience,
            excluded=sum(counts["exclusions"].values()),
            deliveries=numbers.deliveries,
            accepted=standing.get("accepted", 0),
            refused=standing.get("refused", 0),
            unknown=standing.get("unknown", 0),
            skipped=standing.get("skipped", 0),
            to_go=standing.get("to_go", 0),
        ),
        editions=numbers.editions,
        requests=numbers.requests,
        events={DeliveryState(state).name.lower(): count for state, count in events.items()},
        **counts,
    )


_LETTER = """
    SELECT issue.id AS issue_id, issue.date, issue.number, delivery.id AS delivery_id,
           edition.key AS edition_key, edition.brief_ids, batch.id AS batch_id,
           batch.state AS batch_state, batch.reason AS batch_reason,
           delivery.skipped, delivery.refused, exclusion.reason AS exclusion
      FROM issue
      LEFT JOIN delivery ON delivery.issue_id = issue.id AND delivery.subscriber_id = :subscriber
      LEFT JOIN exclusion ON exclusion.issue_id = issue.id
                         AND exclusion.subscriber_id = :subscriber
      LEFT JOIN batch ON batch.id = delivery.batch_id
      LEFT JOIN edition ON edition.id = batch.edition_id
     WHERE issue.id = :issue
"""

_ATTEMPTS = """
    SELECT number, started_at, finished_at, outcome, reason, message_id
      FROM attempt
     WHERE batch_id = :batch
        OR id IN (SELECT attempt_id FROM split_from WHERE batch_id = :batch)
     ORDER BY started_at, number
"""

_EVENTS = """
    SELECT kind, at, raw ->> 'reason' AS reason, raw ->> 'response' AS response
      FROM delivery_event WHERE delivery_id = :delivery
     ORDER BY at, kind <> 'processed', kind
"""


def trace(connection: Connection, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
    """Return what happened to a subscriber's letter; None if the issue never knew of them."""
    values = {"issue": issue_id, "subscriber": subscriber_id}
    row = connection.execute(text(_LETTER), values).mappings().first()
    if row is None or (row["delivery_id"] is None and row["exclusion"] is None):
        return None
    attempts = connection.execute(text(_ATTEMPTS), {"batch": row["batch_id"]}).mappings()
    events = connection.execute(text(_EVENTS), {"delivery": row["delivery_id"]}).mappings()
    letter: dict[str, Any] = dict(row) | {"brief_ids": tuple(row["brief_ids"] or ())}
    return DeliveryRecord(
        **letter,
        attempts=tuple(dict(one) for one in attempts),
        events=tuple(dict(one) for one in events),
    )
