"""Asks for a draft's approval, and sends a draft back with a note."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.approval_request import ApprovalRequest, ApprovalRequestState
from newsletter.core.publication import Newsletter
from newsletter.core.reason import given
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.services.approval_letters import ApprovalLetters
from newsletter.services.publishing import Publishing
from newsletter.stores.approval_requests import ApprovalRequestStore
from newsletter.stores.decisions import DecisionLog


@dataclass(eq=False)
class ApprovalRequests:
    """Records whose turn it is with a draft, and tells the other one by a letter."""

    publishing: Publishing
    store: ApprovalRequestStore
    letters: ApprovalLetters
    decisions: DecisionLog
    clock: Clock

    def of(self, stored: StoredIssue | None) -> ApprovalRequest | None:
        """Return what was asked or answered last about an issue that is a draft now."""
        if stored is None or stored.state is not IssueStatus.DRAFT:
            return None
        return self.store.of(stored.id)

    def ask(self, newsletter: Newsletter, on: date, *, actor: str, note: str) -> ApprovalRequest:
        """Ask whoever may approve to look at the draft; that answers what was sent back."""
        note = " ".join(note.split())
        return self._record(newsletter, on, ApprovalRequestState.ASKED, actor, note)

    def send_back(
        self, newsletter: Newsletter, on: date, *, actor: str, note: str
    ) -> ApprovalRequest:
        """Send the draft back to whoever edits it; NotAllowed without a note."""
        return self._record(newsletter, on, ApprovalRequestState.SENT_BACK, actor, given(note))

    def _draft(self, newsletter: Newsletter, on: date) -> StoredIssue:
        stored = self.publishing.issue(newsletter, on)
        if stored.state is not IssueStatus.DRAFT:
            raise NotAllowed(f"{stored.summary}: approval is asked for a draft")
        return stored

    def _record(
        self, newsletter: Newsletter, on: date, state: ApprovalRequestState, actor: str, note: str
    ) -> ApprovalRequest:
        stored = self._draft(newsletter, on)
        request = ApprovalRequest(
            state=state,
            by=actor,
            at=self.clock.now(),
            note=note,
            content_hash=stored.content_hash or "",
        )
        before = self.store.of(stored.id)
        self.store.save(stored.id, request)
        self.letters.queue(newsletter, stored, request, before)
        self.decisions.record(
            actor,
            f"issue {stored.id}",
            "ask for approval" if request.is_asked else "send back",
            {"note": note, "content_hash": request.content_hash},
        )
        return request
