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

_OF = """
    SELECT state, by, at, note, content_hash FROM approval_request WHERE issue_id = %(issue_id)s
"""


class ApprovalRequestStore(DatabaseStore):
    """Stores one request for each issue, the latest; an approval deletes it, in its transaction."""

    def of(self, issue_id: int) -> ApprovalRequest | None:
        """Return what was asked or answered last, unless the issue was approved since."""
        for row in self._rows(_OF, issue_id=issue_id):
            state = ApprovalRequestState(row.pop("state"))
            return ApprovalRequest(state=state, **row)
        return None

    def save(self, issue_id: int, request: ApprovalRequest) -> None:
        self._execute(_SAVE, issue_id=issue_id, **asdict(request) | {"by": str(request.by)})
