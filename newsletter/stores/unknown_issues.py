"""Issues with batches whose answer was lost, and not found again since."""

from datetime import date, datetime

from sqlalchemy import Engine, text

_UNKNOWN = """
    SELECT DISTINCT issue.newsletter, issue.date
      FROM batch JOIN issue ON issue.id = batch.issue_id
     WHERE batch.state = 'unknown'
       AND NOT EXISTS (SELECT 1 FROM attempt
                        WHERE batch_id = batch.id AND started_at > :asked_before)
     ORDER BY issue.date, issue.newsletter
"""


def unknown_issues(engine: Engine, asked_before: datetime) -> tuple[tuple[str, date], ...]:
    """Return newsletter and date of issues with an unknown batch last asked before a moment."""
    with engine.begin() as connection:
        rows = connection.execute(text(_UNKNOWN), {"asked_before": asked_before})
        return tuple((row.newsletter, row.date) for row in rows)
