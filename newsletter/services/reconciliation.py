"""Reconciles unknown batches: by events or Email Logs, which permit one re-send, or by a person.

An event proves its batch accepted as it is stored. Here the *absence* of events is judged, in a
process that receives them. Email Logs are searched where no events are received, and before a
batch is left to a person: what they show proves it accepted.
"""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.core.delivery import backoff
from newsletter.core.reconciliation import (
    Reconciliation,
    ReconciliationEvidence,
    ReconciliationMeans,
    Resolution,
    Shown,
    Sighting,
    Unavailable,
    UnknownBatch,
    next_check,
    reconcile,
    reconcile_by_logs,
)
from newsletter.errors import NotAllowed
from newsletter.ports import Clock, EmailLogs
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.unknown_batches import UnknownBatchStore

_EVENTS = "reconciliation by events"
_LOGS = "reconciliation by Email Logs"

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Reconciling:
    """Finds out what became of unknown batches, and sends again what evidence permits."""

    unknowns: UnknownBatchStore
    decisions: DecisionLog
    clock: Clock
    quiet_period: timedelta
    receives_events: bool = True
    logs: EmailLogs | None = None
    absence: timedelta | None = None  #: None: what Email Logs do not show permits no re-send
    _receiving_since: datetime | None = field(init=False, default=None)
    #: When Email Logs were last searched, by batch.
    _searched: dict[int, datetime] = field(init=False, default_factory=dict[int, datetime])
    _obstacle: str = field(init=False, default="")  #: why they could not be read the last time
    _failures: int = field(init=False, default=0)  #: to read them, one after another
    _closed_until: datetime | None = field(init=False, default=None)  #: not searched until then

    @property
    def patience(self) -> timedelta:
        """Return how long a batch is unknown before a person is asked."""
        if self.receives_events or self.logs is None or self._obstacle:
            return self.quiet_period
        return self.absence or self.quiet_period

    def means(self) -> ReconciliationMeans:
        """Return how unknown batches are reconciled here; tries whether Email Logs can be read."""
        if self.receives_events:
            return ReconciliationMeans(evidence=ReconciliationEvidence.EVENTS)
        if self.logs is None:
            obstacle = "there is no key to ask Email Logs with"
            return ReconciliationMeans(evidence=ReconciliationEvidence.NONE, obstacle=obstacle)
        self._obstacle = self.logs.obstacle() or ""
        evidence = ReconciliationEvidence.NONE if self._obstacle else ReconciliationEvidence.LOGS
        return ReconciliationMeans(evidence=evidence, obstacle=self._obstacle)

    def start_receiving(self) -> None:
        """Note that this process receives events from now on: only then their absence counts."""
        self._receiving_since = self.clock.now()

    def unknown_batches(self) -> tuple[tuple[UnknownBatch, Reconciliation], ...]:
        """Return every unknown batch, and what the absence of events permits by now."""
        batches = self.unknowns.unknown()
        if not self.receives_events:  # those received in the past say nothing any more
            batches = [replace(batch, others_received=False) for batch in batches]
        now, patience = self.clock.now(), self.patience
        return tuple((one, reconcile(one, now=now, quiet_period=patience)) for one in batches)

    def by_events(self) -> int:
        """Send again what the absence of events permits; return how many batches that is.

        While no process received them, events waited at SendGrid to be posted again: their absence
        counts once this process itself has been receiving for a quiet period.
        """
        batches = self.unknown_batches()
        unseen = [batch for batch, found in batches if found is Reconciliation.RESEND]
        since = self._receiving_since
        if since is None or self.clock.now() < since + self.quiet_period:
            return 0
        return sum(self._resend(batch, _EVENTS, "no event") for batch in unseen)

    def by_logs(self) -> int:
        """Search Email Logs for the batches that are due; return how many were reconciled.

        When they cannot be read at all, the run ends, and the next one comes later.
        """
        if self.logs is None or (self._closed_until and self.clock.now() < self._closed_until):
            return 0
        reconciled = 0
        for batch in self._due():
            found = self.logs.seek(self.unknowns.probe(batch.batch_id))
            if isinstance(found, Unavailable) and found.at_all:
                self._close_logs(found.reason)
                break
            self._failures, self._obstacle = 0, ""
            self._searched[batch.batch_id] = self.clock.now()
            reconciled += self._apply(batch, found)
        return reconciled

    def _due(self) -> list[UnknownBatch]:
        """Return the batches to search for now: with events, only those left to a person."""
        now, listed = self.clock.now(), self.unknown_batches()
        known = {batch.batch_id for batch, _ in listed}
        self._searched = {batch: at for batch, at in self._searched.items() if batch in known}
        return [
            batch
            for batch, found in listed
            if not self.receives_events or found is Reconciliation.PERSON
            if (due := next_check(batch, self._last_search(batch), self.patience)) and due <= now
        ]

    def _last_search(self, batch: UnknownBatch) -> datetime:
        return self._searched.get(batch.batch_id, batch.asked)

    def _apply(self, batch: UnknownBatch, found: Sighting) -> bool:
        if isinstance(found, Shown):
            return self.unknowns.record_accepted(found.attempt_id, self.clock.now())
        if self.receives_events or not self.absence:
            return False
        permitted = self._permits(batch, found, others_shown=True)  # searching costs API calls
        if permitted and self._permits(batch, found, others_shown=self._others_shown(batch)):
            because = "Email Logs do not show it, but another batch sent no sooner"
            return self._resend(batch, _LOGS, because)
        return False

    def _permits(self, batch: UnknownBatch, found: Sighting, *, others_shown: bool) -> bool:
        now, patience = self.clock.now(), self.patience
        permitted = reconcile_by_logs(
            batch, found, others_shown=others_shown, now=now, patience=patience
        )
        return permitted is Reconciliation.RESEND

    def _others_shown(self, batch: UnknownBatch) -> bool:
        probe = self.unknowns.control_probe(batch)
        return bool(probe and self.logs and isinstance(self.logs.seek(probe), Shown))

    def _close_logs(self, reason: str) -> None:
        if reason != self._obstacle:  # logged once
            ids = {"action": "logs.failed"}
            _log.warning("Email Logs cannot be searched: %s", reason, extra=ids)
        self._failures, self._obstacle = self._failures + 1, reason
        self._closed_until = self.clock.now() + backoff(self._failures)

    def resolve(self, batch_id: int, resolution: Resolution, *, actor: str, because: str) -> None:
        """Apply a person's decision; NotAllowed if the batch is not unknown (any more)."""
        if not self._decide(batch_id, resolution, actor, because):
            raise NotAllowed(f"batch {batch_id} is not unknown: there is nothing to resolve")

    def _resend(self, batch: UnknownBatch, actor: str, because: str) -> bool:
        """Permit the one re-send, unless the batch was sent again since it was read."""
        return self._decide(batch.batch_id, Resolution.RESEND, actor, because, batch.attempts)

    def _decide(
        self,
        batch_id: int,
        resolution: Resolution,
        actor: str,
        because: str,
        attempts: int | None = None,
    ) -> bool:
        reason = f"resolved by {actor}: {because}"
        if not self.unknowns.resolve(batch_id, resolution, reason, attempts):
            return False
        detail = {"resolution": resolution.value, "because": because}
        self.decisions.record(actor, f"batch {batch_id}", "resolve", detail)
        return True
