"""Pausing, resuming and cancelling an issue on its way, by a person or by the fuse."""

from newsletter.core.sending_limits import CircuitBreaker, blown
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore
from newsletter.stores.sending_limits import SendingLimitStore


class SendingLimits:
    """The brakes. A batch in hand is still recorded; none is claimed after."""

    def __init__(
        self,
        *,
        brakes: SendingLimitStore,
        issues: IssueStore,
        decisions: DecisionLog,
        clock: Clock,
        fuse: CircuitBreaker,
    ) -> None:
        self._brakes, self._issues = brakes, issues
        self._decisions, self._clock, self._fuse = decisions, clock, fuse

    def pause(self, filed: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Let no further batch leave until someone resumes the issue."""
        if not self._brakes.pause(filed.id, f"{because} ({actor})", self._clock.now()):
            raise NotAllowed(f"the issue of {filed.issue.date} is {filed.state}: nothing to pause")
        self._decisions.note(actor, f"issue {filed.id}", "pause", {"because": because})
        return self._issues.get(filed.id)

    def resume(self, filed: StoredIssue, *, actor: str) -> StoredIssue:
        """Let a paused issue's batches leave again; the caller hands them to the workers."""
        if filed.state is not IssueStatus.PAUSED:
            raise NotAllowed(f"the issue of {filed.issue.date} is {filed.state}, not paused")
        self._issues.resume(filed.id, self._clock.now())
        self._decisions.note(actor, f"issue {filed.id}", "resume", {})
        return self._issues.get(filed.id)

    def cancel(self, filed: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Leave out whatever has not left; what has left cannot be called back."""
        if not self._brakes.cancel(filed.id, f"{because} ({actor})"):
            raise NotAllowed(f"the issue of {filed.issue.date} is {filed.state}: nothing to cancel")
        self._decisions.note(actor, f"issue {filed.id}", "cancel", {"because": because})
        return self._issues.get(filed.id)

    def watch(self) -> None:
        """Pause what the fuse says, and leave out what is stale or cancelled."""
        now = self._clock.now()
        for issue_id in self._brakes.sending():
            if reason := blown(self._fuse, self._brakes.trouble(issue_id)):
                self._brakes.pause(issue_id, reason, now)
        self._brakes.leave_out(now)
