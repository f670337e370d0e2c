"""Asks for a draft's approval, and sends a draft back with a note."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.approval_request import ApprovalRequest, ApprovalRequestState
from newsletter.core.publication import Newsletter
from newsletter.core.reason import given
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.services.publishing import Publishing
from newsletter.stores.approval_requests import ApprovalRequestStore
from newsletter.stores.decisions import DecisionLog


@dataclass(eq=False)
class ApprovalRequests:
    """Records whose turn it is with a draft, and what the other one should know."""

    publishing: Publishing
    store: ApprovalRequestStore
    decisions: DecisionLog
    clock: Clock

    def of(self, stored: StoredIssue | None) -> ApprovalRequest | None:
        """Return what was asked or answered last about an issue that is a draft now."""
        if stored is None or stored.state is not IssueStatus.DRAFT:
            return None
        return self.store.of(stored.id)

    def ask(self, newsletter: Newsletter, on: date, *, actor: str, note: str) -> ApprovalRequest:
        """Ask whoever may approve to look at the draft; that answers what was sent back."""
        stored = self._draft(newsletter, on)
        return self._record(stored, ApprovalRequestState.ASKED, actor, " ".join(note.split()))

    def send_back(
        self, newsletter: Newsletter, on: date, *, actor: str, note: str
    ) -> ApprovalRequest:
        """Send the draft back to whoever edits it; NotAllowed without a note."""
        note, stored = given(note), self._draft(newsletter, on)
        return self._record(stored, ApprovalRequestState.SENT_BACK, actor, note)

    def _draft(self, newsletter: Newsletter, on: date) -> StoredIssue:
        stored = self.publishing.issue(newsletter, on)
        if stored.state is not IssueStatus.DRAFT:
            raise NotAllowed(f"{stored.summary}: approval is asked for a draft")
        return stored

    def _record(
        self, stored: StoredIssue, state: ApprovalRequestState, actor: str, note: str
    ) -> ApprovalRequest:
        request = ApprovalRequest(
            state=state,
            by=actor,
            at=self.clock.now(),
            note=note,
            content_hash=stored.content_hash or "",
        )
        self.store.save(stored.id, request)
        verb = "ask for approval" if request.is_asked else "send back"
        detail = {"note": note, "content_hash": request.content_hash}
        self.decisions.record(actor, f"issue {stored.id}", verb, detail)
        return request
