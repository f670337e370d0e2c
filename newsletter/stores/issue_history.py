"""What earlier issues of a newsletter printed: what a new one is compared with."""

from datetime import date

from newsletter.core.issue_line import IssueLine
from newsletter.core.stored import IssueStatus
from subscribers.db.transaction import DatabaseStore

_BEFORE = """
    SELECT id FROM issue
     WHERE newsletter = %(newsletter)s AND date < %(on)s AND planned_at IS NOT NULL
     ORDER BY date DESC LIMIT 1
"""

_LISTED = """
    SELECT issue.date, issue.number, issue.state, issue.approved_by,
           COALESCE(first.content ->> 'title', '') AS subject,
           (SELECT count(*) FROM issue_brief WHERE issue_id = issue.id) AS stories,
           (SELECT COALESCE(sum(size), 0) FROM batch WHERE issue_id = issue.id) AS readers
      FROM issue LEFT JOIN issue_brief AS first ON first.issue_id = issue.id AND first.position = 0
     WHERE issue.newsletter = %(newsletter)s
       AND issue.date < COALESCE(%(before)s::date, 'infinity')
     ORDER BY issue.date DESC LIMIT %(limit)s
"""


class IssueHistory(DatabaseStore):
    """Reads what earlier issues printed, and writes nothing."""

    def before(self, newsletter: str, on: date) -> int | None:
        """Return the number of the latest issue that was planned before a date."""
        found = self._rows(_BEFORE, newsletter=newsletter, on=on)
        return found[0]["id"] if found else None

    def listed(self, newsletter: str, *, before: date | None, limit: int) -> tuple[IssueLine, ...]:
        """Return issues of dates before this one, or of all, the newest first."""
        found = self._rows(_LISTED, newsletter=newsletter, before=before, limit=limit)
        return tuple(
            IssueLine(state=IssueStatus(row.pop("state")), **row) for row in map(dict, found)
        )
