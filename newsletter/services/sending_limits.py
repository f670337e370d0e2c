"""Pauses, resumes and cancels an issue on its way, by a person or by the circuit breaker."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from newsletter.core.circuit_breaker import (
    NOTHING_FAILED,
    UNKNOWN,
    CircuitBreaker,
    FailureCounts,
    margin,
    next_look,
    tripped,
    waits_for_proof,
)
from newsletter.core.delivery import Claim
from newsletter.core.reason import given
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore
from newsletter.stores.sending_limits import SendingLimitStore

_BREAKER = "the circuit breaker"
_HELD = timedelta(seconds=45)  #: longer than from one look of the scheduler to the next
_REPORTED = ("bounced", "complained")  #: by events, after the answer


@dataclass
class _Sent:
    """How many recipients of an issue this process sent to, and when to look again."""

    resumed_at: datetime | None
    recipients: int = 0
    look_at: int = 0


@dataclass(eq=False)
class SendingLimits:
    """Stops an issue's batches: one in hand is still recorded, none is claimed after."""

    limits: SendingLimitStore
    issues: IssueStore
    decisions: DecisionLog
    clock: Clock
    circuit_breaker: CircuitBreaker
    _lock: Lock = field(init=False, default_factory=Lock)
    _looking: Lock = field(init=False, default_factory=Lock)  #: one look at a time suffices
    _sent: dict[int, _Sent] = field(init=False, default_factory=dict[int, _Sent])  #: by issue
    _reported: Counter[str] = field(init=False, default_factory=Counter[str])  #: since the look
    _margins: dict[str, int] = field(init=False, default_factory=dict[str, int])

    def pause(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Send no further batch until someone resumes the issue; NotAllowed without a reason."""
        because = given(because)
        if not self.limits.pause(stored.id, because, self.clock.now(), by=actor):
            raise NotAllowed(f"{stored.summary}: nothing to pause")
        self.decisions.record(actor, f"issue {stored.id}", "pause", {"because": because})
        return self.issues.get(stored.id)

    def explain_pause(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Record why an issue was paused: whoever stops it is asked after, not before.

        The reason given last is the issue's. NotAllowed without one, or once it goes on.
        """
        because = given(because)
        if not self.limits.explain_pause(stored.id, because):
            raise NotAllowed(f"{stored.summary}, not paused by a person")
        detail = {"because": because}
        self.decisions.record(actor, f"issue {stored.id}", "explain pause", detail)
        return self.issues.get(stored.id)

    def resume(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Let a paused issue's batches be sent again; the caller hands them to the workers."""
        because = given(because)
        if not self.issues.resume(stored.id, self.clock.now()):
            raise NotAllowed(f"{self.issues.get(stored.id).summary}, not paused")
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
        """Pause where the circuit breaker trips, go on where evidence refuted why, and skip stale.

        An issue whose lost answers may yet be proven is held meanwhile.
        """
        now = self.clock.now()
        with self._lock:
            self._reported.clear()
        looks = [self._judge(issue_id, now) for issue_id in self.limits.sending_issues()]
        self._margins = self._least_margins(looks)
        for issue_id in self.limits.refutable_issues():
            self._judge_paused(issue_id, now)
        self.limits.cancel_stale(now)

    def enforce_held(self) -> None:
        """Judge the issues that are held, where no scheduler may do it."""
        for issue_id in self.limits.held_issues():
            self._judge(issue_id, self.clock.now())

    def look_is_due(self, accepted: Claim) -> bool:
        """Count an accepted batch; return whether so many were sent that it is time to `enforce`.

        That is at the fewest recipients that say something, and then with each quarter more. It
        begins anew when a person has resumed the issue.
        """
        with self._lock:
            sent = self._sent.get(accepted.issue_id)
            if sent is None or sent.resumed_at != accepted.resumed_at:
                sent = self._sent[accepted.issue_id] = _Sent(accepted.resumed_at)
                sent.look_at = next_look(self.circuit_breaker, 0)
            sent.recipients += len(accepted.recipients)
            due = sent.recipients >= sent.look_at
            if due:
                sent.look_at = next_look(self.circuit_breaker, sent.recipients)
            return due

    def count_reported(self, kinds: Mapping[str, int]) -> None:
        """Count what events report, and `enforce` once so many came as might trip the breaker."""
        with self._lock:
            self._reported.update({kind: kinds.get(kind, 0) for kind in _REPORTED})
            reported = dict(self._reported)
        due = any(reported[kind] >= self._margins.get(kind, 1) for kind in _REPORTED)
        if due and self._looking.acquire(blocking=False):
            try:
                self.enforce()
            finally:
                self._looking.release()

    def _judge(self, issue_id: int, now: datetime) -> FailureCounts:
        """Pause, hold or release an issue that is being sent; return what went wrong with it."""
        failures = self._failures(issue_id, now)
        if trip := tripped(self.circuit_breaker, failures):
            self.limits.trip(issue_id, trip, now, by=_BREAKER)
        elif reason := waits_for_proof(self.circuit_breaker, failures):
            self.limits.hold(issue_id, reason, now + _HELD)
        else:
            self.limits.release(issue_id)
        return failures

    def _judge_paused(self, issue_id: int, now: datetime) -> None:
        """Let an issue go on whose lost answers were proven; anything else needs a person."""
        failures = self._failures(issue_id, now)
        trip = tripped(self.circuit_breaker, failures)
        if trip and trip.kind != UNKNOWN:
            self.limits.trip(issue_id, trip, now, by=_BREAKER)
        if trip:
            return
        because = (
            f"of {failures.asked} now {failures.unknown} are unknown, which is within the limit "
            f"of {self.circuit_breaker.unknown:.1%}"
        )
        if self.limits.go_on(issue_id, because, now):
            self.decisions.record(_BREAKER, f"issue {issue_id}", "resume", {"because": because})

    def _failures(self, issue_id: int, now: datetime) -> FailureCounts:
        return self.limits.failure_counts(issue_id, now - self.circuit_breaker.proof_takes)

    def _least_margins(self, looks: list[FailureCounts]) -> dict[str, int]:
        found = looks or [NOTHING_FAILED]
        breaker = self.circuit_breaker
        return {kind: min(margin(breaker, one, kind) for one in found) for kind in _REPORTED}
