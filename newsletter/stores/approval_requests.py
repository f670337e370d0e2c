"""The latest request for an issue's approval, and the answer that sent it back."""

from dataclasses import asdict

from newsletter.core.approval_request import ApprovalRequest, ApprovalRequestState
from subscribers.db.transaction import DatabaseStore

_SAVE = """
    INSERT INTO approval_request (issue_id, state, by, at, note, content_hash)
    VALUES (%(issue_id)s, %(state)s, %(by)s, %(at)s, %(note)s, %(content_hash)s)
    ON CONFLICT (issue_id) DO UPDATE SET
        state = excluded.state, by = excluded.by, at = excluded.at, note = excluded.note,
        content_hash = excluded.content_hash
"""

#: An approval answers what was asked before it.
_OF = """
    SELECT state, by, at, note, content_hash FROM approval_request AS request
     WHERE issue_id = %(issue_id)s AND NOT EXISTS (
        SELECT FROM approved_issue
         WHERE approved_issue.issue_id = request.issue_id AND approved_issue.at >= request.at)
"""


class ApprovalRequestStore(DatabaseStore):
    """Stores one request for each issue: the latest."""

    def of(self, issue_id: int) -> ApprovalRequest | None:
        """Return what was asked or answered last, unless the issue was approved since."""
        for row in self._rows(_OF, issue_id=issue_id):
            state = ApprovalRequestState(row.pop("state"))
            return ApprovalRequest(state=state, **row)
        return None

    def save(self, issue_id: int, request: ApprovalRequest) -> None:
        self._execute(_SAVE, issue_id=issue_id, **asdict(request) | {"by": str(request.by)})
