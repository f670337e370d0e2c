"""Reconciles unknown batches: by events or Email Logs, which permit one re-send, or by a person.

An event proves its batch accepted as it is stored. Here the *absence* of events is judged, in a
process that receives them. Email Logs are searched where no events are received, and before a
batch is left to a person: what they show proves it accepted.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
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


class Reconciling:
    """Finds out what became of unknown batches, and sends again what evidence permits."""

    def __init__(
        self,
        *,
        unknowns: UnknownBatchStore,
        decisions: DecisionLog,
        clock: Clock,
        quiet_period: timedelta,
        receives_events: bool = True,
        logs: EmailLogs | None = None,
        absence: timedelta | None = None,
    ) -> None:
        """Without `absence`, what Email Logs do not show permits no re-send."""
        self._unknowns, self._decisions = unknowns, decisions
        self._clock, self._quiet = clock, quiet_period
        self._receives_events, self._logs, self._absence = receives_events, logs, absence
        self._receiving_since: datetime | None = None
        self._searched: dict[int, datetime] = {}  #: when Email Logs were last searched, by batch
        self._obstacle = ""  #: why Email Logs could not be read the last time
        self._failures = 0  #: to read them, one after another
        self._closed_until: datetime | None = None  #: until then they are not searched

    @property
    def patience(self) -> timedelta:
        """Return how long a batch is unknown before a person is asked."""
        if self._receives_events or self._logs is None or self._obstacle:
            return self._quiet
        return self._absence or self._quiet

    def means(self) -> ReconciliationMeans:
        """Return how unknown batches are reconciled here; tries whether Email Logs can be read."""
        if self._receives_events:
            return ReconciliationMeans(evidence=ReconciliationEvidence.EVENTS)
        if self._logs is None:
            return ReconciliationMeans(
                evidence=ReconciliationEvidence.NONE,
                obstacle="there is no key to ask Email Logs with",
            )
        self._obstacle = self._logs.obstacle() or ""
        evidence = ReconciliationEvidence.NONE if self._obstacle else ReconciliationEvidence.LOGS
        return ReconciliationMeans(evidence=evidence, obstacle=self._obstacle)

    def start_receiving(self) -> None:
        """Note that this process receives events from now on: only then their absence counts."""
        self._receiving_since = self._clock.now()

    def unknown_batches(self) -> tuple[tuple[UnknownBatch, Reconciliation], ...]:
        """Return every unknown batch, and what the absence of events permits by now."""
        now = self._clock.now()
        return tuple(
            (batch, reconcile(batch, now=now, quiet_period=self.patience))
            for batch in self._unknown()
        )

    def _unknown(self) -> Iterator[UnknownBatch]:
        for batch in self._unknowns.unknown():
            # Events received in the past say nothing where none are received any more.
            yield replace(batch, others_received=batch.others_received and self._receives_events)

    def by_events(self) -> int:
        """Send again what the absence of events permits; return how many batches that is.

        While no process received them, events waited at SendGrid to be posted again: their absence
        counts once this process itself has been receiving for a quiet period.
        """
        unseen = [
            batch for batch, found in self.unknown_batches() if found is Reconciliation.RESEND
        ]
        since = self._receiving_since
        if since is None or self._clock.now() < since + self._quiet:
            return 0
        return sum(self._resend(batch, _EVENTS, "no event") for batch in unseen)

    def by_logs(self) -> int:
        """Search Email Logs for the batches that are due; return how many were reconciled.

        When they cannot be read at all, the run ends, and the next one comes later.
        """
        if self._logs is None or (self._closed_until and self._clock.now() < self._closed_until):
            return 0
        reconciled = 0
        for batch in self._due():
            found = self._logs.seek(self._unknowns.probe(batch.batch_id))
            if isinstance(found, Unavailable) and found.at_all:
                self._close_logs(found.reason)
                break
            self._failures, self._obstacle = 0, ""
            self._searched[batch.batch_id] = self._clock.now()
            reconciled += self._apply(batch, found)
        return reconciled

    def _due(self) -> list[UnknownBatch]:
        """Return the batches to search for now: with events, only those left to a person."""
        now, listed = self._clock.now(), self.unknown_batches()
        known = {batch.batch_id for batch, _ in listed}
        self._searched = {batch: at for batch, at in self._searched.items() if batch in known}
        return [
            batch
            for batch, found in listed
            if not self._receives_events or found is Reconciliation.PERSON
            if (due := next_check(batch, self._last_search(batch), self.patience)) and due <= now
        ]

    def _last_search(self, batch: UnknownBatch) -> datetime:
        return self._searched.get(batch.batch_id, batch.asked)

    def _apply(self, batch: UnknownBatch, found: Sighting) -> bool:
        if isinstance(found, Shown):
            return self._unknowns.record_accepted(found.attempt_id, self._clock.now())
        if self._receives_events or not self._absence:
            return False
        permitted = self._permits(batch, found, others_shown=True)  # searching costs API calls
        if permitted and self._permits(batch, found, others_shown=self._others_shown(batch)):
            because = "Email Logs do not show it, but another batch sent no sooner"
            return self._resend(batch, _LOGS, because)
        return False

    def _permits(self, batch: UnknownBatch, found: Sighting, *, others_shown: bool) -> bool:
        permitted = reconcile_by_logs(
            batch,
            found,
            others_shown=others_shown,
            now=self._clock.now(),
            patience=self.patience,
        )
        return permitted is Reconciliation.RESEND

    def _others_shown(self, batch: UnknownBatch) -> bool:
        probe = self._unknowns.control_probe(batch)
        return bool(probe and self._logs and isinstance(self._logs.seek(probe), Shown))

    def _close_logs(self, reason: str) -> None:
        if reason != self._obstacle:  # logged once
            _log.warning(
                "Email Logs cannot be searched: %s", reason, extra={"action": "logs.failed"}
            )
        self._failures, self._obstacle = self._failures + 1, reason
        self._closed_until = self._clock.now() + backoff(self._failures)

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
        if not self._unknowns.resolve(batch_id, resolution, reason, attempts):
            return False
        detail = {"resolution": resolution.value, "because": because}
        self._decisions.record(actor, f"batch {batch_id}", "resolve", detail)
        return True
