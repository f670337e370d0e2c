"""What is kept of issues whose letters were let go: everything that reads sums asks here first."""

from sqlmodel import Session

from newsletter.core.issue_totals import IssueTotals
from newsletter.core.letter_release import LetterRelease, ReleasedIssues
from newsletter.core.results import IssueResults
from newsletter.stores.tables import IssueSummaryRow
from subscribers.db.transaction import rows

_RELEASE = """
    SELECT issue.date AS on, issue_summary.at
      FROM issue_summary JOIN issue ON issue.id = issue_summary.issue_id
     WHERE issue_id = %(issue)s
"""

_RELEASED = """
    SELECT issue.newsletter, issue.list, count(*) AS issues, min(issue.date) AS first,
           max(issue.date) AS last, max(issue.planned_at) AS last_planned_at,
           max(issue_summary.at) AS at
      FROM issue_summary JOIN issue ON issue.id = issue_summary.issue_id
     GROUP BY 1, 2 ORDER BY 1, 2
"""


def kept_totals(session: Session, issue_id: int) -> IssueTotals | None:
    """Return the totals of an issue whose letters were let go; None while they are there."""
    kept = session.get(IssueSummaryRow, issue_id)
    return kept and kept.totals


def kept_results(session: Session, issue_id: int) -> IssueResults | None:
    """Return the results of an issue whose letters were let go; None while they are there."""
    kept = session.get(IssueSummaryRow, issue_id)
    return kept and kept.results


def release_of(session: Session, issue_id: int) -> LetterRelease | None:
    """Return since when the letters of an issue are gone; None while they are there."""
    found = rows(session, _RELEASE, {"issue": issue_id})
    return LetterRelease(**found[0]) if found else None


def released_issues(session: Session) -> tuple[ReleasedIssues, ...]:
    """Return the issues whose letters were let go, by newsletter."""
    return tuple(ReleasedIssues(**row) for row in rows(session, _RELEASED))
