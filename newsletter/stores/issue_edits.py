"""A person's edits of issues, the drafts that were seen, and who changed an issue last."""

import logging
from datetime import datetime

from sqlmodel import col, update

from newsletter.core.draft_changes import DraftContents
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.stored import IssueStatus, LastChange, StoredIssue
from newsletter.stores.issue_rows import get_issue, write_entries
from newsletter.stores.tables import DraftRow, IssueRow
from subscribers.db.transaction import DatabaseStore, transaction

_log = logging.getLogger(__name__)

#: A source's newer text takes the place of a person's change of the same brief, and of no other.
_LAST_CHANGE = """
    SELECT by, at FROM (
        SELECT changed_by AS by, changed_at AS at FROM issue WHERE id = %(issue)s
        UNION ALL
        SELECT brief.changed_by, brief.changed_at FROM issue_brief
          JOIN brief ON brief.id = issue_brief.brief_id
         WHERE issue_brief.issue_id = %(issue)s) AS change
     WHERE by IS NOT NULL
     ORDER BY at DESC LIMIT 1
"""


class IssueEditStore(DatabaseStore):
    """Stores what people change in drafts; each change names the draft it was made on."""

    def contents(self, issue_id: int, content_hash: str) -> DraftContents | None:
        """Return what a draft of this hash consisted of; None if there never was one."""
        with transaction(self._engine) as session:
            row = session.get(DraftRow, (issue_id, content_hash))
            return row.contents if row else None

    def last_change(self, issue_id: int) -> LastChange | None:
        """Return the newest change a person made to the issue or to a brief it prints."""
        found = self._rows(_LAST_CHANGE, issue=issue_id)
        return LastChange(**found[0]) if found else None

    def save(
        self,
        edited: StoredIssue,
        edits: IssueEdits,
        *,
        seen: str,
        by: str,
        now: datetime,
    ) -> StoredIssue | None:
        """Store edits with the draft they make, if the draft they were made on is still there.

        None if it is not: then nothing changes.
        """
        is_open = col(IssueRow.state).in_([one for one in IssueStatus if one.is_open])
        this = (col(IssueRow.id) == edited.id, col(IssueRow.content_hash) == seen, is_open)
        values = {
            "state": IssueStatus.DRAFT,
            "galley": edited.galley,
            "basis": edited.basis,
            "content_hash": edited.content_hash,
            "edits": edits,
            "edits_revision": col(IssueRow.edits_revision) + 1,
            "changed_by": by,
            "changed_at": now,
        }
        with transaction(self._engine) as session:
            if not session.exec(update(IssueRow).where(*this).values(**values)).rowcount:
                return None
            write_entries(session, edited.id, edited.issue, edited.content_hash, now)
            stored = get_issue(session, edited.id)
        _log.info("edited", extra={"action": "issue.edited", "issue": edited.id, "by": by})
        return stored
