"""What earlier issues of a newsletter printed: what a new one is compared with."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy.orm import defer
from sqlmodel import col, select

from newsletter.core.issue_line import IssueLine, PlannedEdition
from newsletter.core.preflight import PastIssue, past_issue
from newsletter.core.stored import IssueStatus
from newsletter.stores.issue_rows import read_issue
from newsletter.stores.tables import IssueRow
from subscribers.db.transaction import DatabaseStore, transaction

_BEFORE = """
    SELECT id FROM issue
     WHERE newsletter = %(newsletter)s AND date < %(on)s AND date >= %(since)s
       AND planned_at IS NOT NULL
     ORDER BY date DESC LIMIT %(most)s
"""

_LINES = """
    SELECT issue.id, issue.newsletter, issue.date, issue.number, issue.state, issue.approved_by,
           COALESCE(NULLIF(issue.edits #>> '{wording,subject}', ''), first.content ->> 'title', '')
           AS subject,
           (SELECT count(*) FROM issue_brief WHERE issue_id = issue.id) AS stories,
           (SELECT COALESCE(sum(size), 0) FROM batch WHERE issue_id = issue.id) AS readers
      FROM issue LEFT JOIN issue_brief AS first ON first.issue_id = issue.id AND first.position = 0
     WHERE issue.newsletter = ANY(%(newsletters)s)
"""

_LISTED = f"""{_LINES}
       AND issue.date < COALESCE(%(before)s::date, 'infinity')
     ORDER BY issue.date DESC LIMIT %(limit)s
"""

_NEWEST = f"""{_LINES}
       AND issue.id < COALESCE(%(before)s::bigint, 9223372036854775807)
       AND (%(state)s::text IS NULL OR issue.state = %(state)s)
     ORDER BY issue.id DESC LIMIT %(limit)s
"""

_EDITIONS = """
    SELECT edition.key, edition.brief_ids, sum(batch.size)::bigint AS readers
      FROM edition JOIN batch ON batch.edition_id = edition.id
     WHERE edition.issue_id = %(issue)s AND batch.issue_id = %(issue)s
     GROUP BY edition.id ORDER BY readers DESC, edition.key
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

#: What a letter prints of a story.
_SAID = """
    SELECT concat_ws(' ', content ->> 'title', content ->> 'summary', content ->> 'why') AS said
      FROM issue_brief WHERE issue_id = ANY(%(issues)s)
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
        return next(iter(self.planned(newsletter, on, most=1)), None)

    def days_of(self, issue_ids: Collection[int]) -> dict[int, date]:
        """Return the date of each of these issues."""
        dates = "SELECT id, date FROM issue WHERE id = ANY(%(ids)s)"
        return {row["id"]: row["date"] for row in self._rows(dates, ids=list(issue_ids))}

    def listed(self, newsletter: str, *, before: date | None, limit: int) -> tuple[IssueLine, ...]:
        """Return issues of dates before this one, or of all, the newest first."""
        values = {"newsletters": [newsletter], "before": before, "limit": limit}
        return _lines(self._rows(_LISTED, **values))

    def newest(
        self,
        newsletters: Collection[str],
        *,
        state: IssueStatus | None,
        before: int | None,
        limit: int,
    ) -> tuple[IssueLine, ...]:
        """Return issues of several newsletters by their numbers, the highest first."""
        values = {"newsletters": list(newsletters), "state": state, "before": before}
        return _lines(self._rows(_NEWEST, **values, limit=limit))

    def editions(self, issue_id: int) -> tuple[PlannedEdition, ...]:
        """Return the editions of a planned issue, the one with most readers first."""
        return tuple(
            PlannedEdition(
                key=row["key"], brief_ids=tuple(row["brief_ids"]), readers=row["readers"]
            )
            for row in self._rows(_EDITIONS, issue=issue_id)
        )

    def waiting(self, newsletter: str) -> tuple[WaitingIssue, ...]:
        return tuple(WaitingIssue(**row) for row in self._rows(_WAITING, newsletter=newsletter))

    def planned(
        self, newsletter: str, on: date, *, since: date = date.min, most: int | None = None
    ) -> tuple[int, ...]:
        """Return the numbers of the issues that were planned before a date, the newest first."""
        values = {"newsletter": newsletter, "on": on, "since": since, "most": most}
        return tuple(row["id"] for row in self._rows(_BEFORE, **values))

    def past(self, ids: Collection[int]) -> Mapping[int, PastIssue]:
        """Return these issues as later ones are compared with them; their type is not read."""
        if not ids:
            return {}
        readers = {
            row["issue_id"]: row["readers"] for row in self._rows(_READERS, issues=list(ids))
        }
        which = select(IssueRow).where(col(IssueRow.id).in_(ids))
        with transaction(self._engine) as session:
            found = session.exec(which.options(defer(cast("Any", IssueRow.galley)))).all()
            issues = {row.id: read_issue(session, row) for row in found if row.id}
        return {one: past_issue(issue, readers.get(one, 0)) for one, issue in issues.items()}

    def said(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Return what each story of these issues said."""
        return tuple(row["said"] for row in self._rows(_SAID, issues=list(ids)))


def _lines(found: Iterable[Mapping[str, Any]]) -> tuple[IssueLine, ...]:
    return tuple(IssueLine(state=IssueStatus(row.pop("state")), **row) for row in map(dict, found))
