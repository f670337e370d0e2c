"""What earlier issues of a newsletter printed: what a new one is compared with."""

from dataclasses import dataclass
from datetime import date, datetime

from newsletter.core.edition import whole_edition
from newsletter.core.issue_line import IssueLine
from newsletter.core.preflight import PastIssue
from newsletter.core.stored import IssueStatus
from newsletter.stores.issues import IssueStore
from subscribers.db.transaction import DatabaseStore

_BEFORE = """
    SELECT id FROM issue
     WHERE newsletter = %(newsletter)s AND date < %(on)s AND planned_at IS NOT NULL
     ORDER BY date DESC LIMIT %(most)s
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

_WAITING = """
    SELECT id AS issue_id, date, assembled_at FROM issue
     WHERE newsletter = %(newsletter)s AND state IN ('draft', 'approved') AND planned_at IS NULL
       AND galley IS NOT NULL
"""

_READERS = """
    SELECT issue_id, sum(size)::bigint AS readers FROM batch
     WHERE issue_id = ANY(%(issues)s) GROUP BY 1
"""

#: What a letter prints of a story, of the issues in which a newsletter printed it.
_PRINTED = """
    SELECT concat_ws(' ', place.content ->> 'title', place.content ->> 'summary',
                     place.content ->> 'why') AS said
      FROM issue_brief AS place JOIN issue ON issue.id = place.issue_id
     WHERE issue.newsletter = %(newsletter)s AND issue.planned_at IS NOT NULL
       AND issue.date < %(on)s AND issue.date >= %(since)s
"""


@dataclass(frozen=True, kw_only=True)
class WaitingIssue:
    """An issue that is set and was not planned yet."""

    issue_id: int
    date: date
    assembled_at: datetime


class IssueHistory(DatabaseStore):
    """Reads what earlier issues printed, and writes nothing."""

    def before(self, newsletter: str, on: date) -> int | None:
        """Return the number of the latest issue that was planned before a date."""
        found = self._rows(_BEFORE, newsletter=newsletter, on=on, most=1)
        return found[0]["id"] if found else None

    def listed(self, newsletter: str, *, before: date | None, limit: int) -> tuple[IssueLine, ...]:
        """Return issues of dates before this one, or of all, the newest first."""
        found = self._rows(_LISTED, newsletter=newsletter, before=before, limit=limit)
        return tuple(
            IssueLine(state=IssueStatus(row.pop("state")), **row) for row in map(dict, found)
        )

    def waiting(self, newsletter: str) -> tuple[WaitingIssue, ...]:
        return tuple(WaitingIssue(**row) for row in self._rows(_WAITING, newsletter=newsletter))

    def past(self, newsletter: str, on: date, most: int) -> tuple[PastIssue, ...]:
        """Return the latest issues that were planned before a date, the newest first."""
        ids = [one["id"] for one in self._rows(_BEFORE, newsletter=newsletter, on=on, most=most)]
        readers = {row["issue_id"]: row["readers"] for row in self._rows(_READERS, issues=ids)}
        issues = IssueStore(self._engine)
        stored = [issues.get(one) for one in ids]
        return tuple(
            PastIssue(
                date=one.issue.date,
                subject=whole_edition(one.issue).subject,
                titles=tuple(entry.brief.title for entry in one.issue.entries),
                readers=readers.get(one.id, 0),
            )
            for one in stored
        )

    def printed(self, newsletter: str, on: date, since: date) -> tuple[str, ...]:
        """Return what the stories said that were printed from a date until the day before."""
        found = self._rows(_PRINTED, newsletter=newsletter, on=on, since=since)
        return tuple(row["said"] for row in found)
