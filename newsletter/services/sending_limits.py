"""Pauses, resumes and cancels an issue on its way, by a person or by the circuit breaker."""

from dataclasses import dataclass

from newsletter.core.reason import given
from newsletter.core.sending_limits import CircuitBreaker, tripped
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore
from newsletter.stores.sending_limits import SendingLimitStore

_BREAKER = "the circuit breaker"


@dataclass(eq=False)
class SendingLimits:
    """Stops an issue's batches: one in hand is still recorded, none is claimed after."""

    limits: SendingLimitStore
    issues: IssueStore
    decisions: DecisionLog
    clock: Clock
    circuit_breaker: CircuitBreaker

    def pause(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Send no further batch until someone resumes the issue; NotAllowed without a reason."""
        because = given(because)
        if not self.limits.pause(stored.id, because, self.clock.now(), by=actor):
            raise NotAllowed(f"{stored.summary}: nothing to pause")
        self.decisions.record(actor, f"issue {stored.id}", "pause", {"because": because})
        return self.issues.get(stored.id)

    def resume(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Let a paused issue's batches be sent again; the caller hands them to the workers."""
        if stored.state is not IssueStatus.PAUSED:
            raise NotAllowed(f"{stored.summary}, not paused")
        self.issues.resume(stored.id, self.clock.now())
        self.decisions.record(actor, f"issue {stored.id}", "resume", {"because": because})
        return self.issues.get(stored.id)

    def cancel(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Skip whatever was not sent yet; what was sent stays so. NotAllowed without a reason."""
        because = given(because)
        if not self.limits.cancel(stored.id, f"{because} ({actor})"):
            raise NotAllowed(f"{stored.summary}: nothing to cancel")
        self.decisions.record(actor, f"issue {stored.id}", "cancel", {"because": because})
        return self.issues.get(stored.id)

    def enforce(self) -> None:
        """Pause where the circuit breaker trips, and skip what is stale or cancelled."""
        now = self.clock.now()
        for issue_id in self.limits.sending_issues():
            if reason := tripped(self.circuit_breaker, self.limits.failure_counts(issue_id)):
                self.limits.pause(issue_id, reason, now, by=_BREAKER)
        self.limits.cancel_stale(now)
