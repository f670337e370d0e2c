"""Settling unknown batches: by silence or Email Logs, which permit one re-send, or by a person.

Events settle theirs as they come in; silence is heard where they are. Email Logs are asked where
no event comes, and before a batch goes to a person: what they show settles it.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.core.delivery import backoff
from newsletter.core.reconciliation import (
    Means,
    Reconciliation,
    ReconciliationEvidence,
    Resolution,
    Shown,
    Sighting,
    Unavailable,
    UnknownBatch,
    next_look,
    settle,
    settle_by_logs,
)
from newsletter.errors import NotAllowed
from newsletter.ports import Clock, EmailLogs
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.unknown_batches import UnknownBatchStore

_SILENCE = "settlement by silence"
_LOGS = "settlement by Email Logs"

_log = logging.getLogger(__name__)


class Reconciling:
    """The desk for letters nobody knows the fate of."""

    def __init__(
        self,
        *,
        unknowns: UnknownBatchStore,
        decisions: DecisionLog,
        clock: Clock,
        quiet: timedelta,
        hears_events: bool = True,
        logs: EmailLogs | None = None,
        absence: timedelta | None = None,
    ) -> None:
        """Wire the desk; without `absence`, what Email Logs do not show permits nothing."""
        self._unknowns, self._decisions = unknowns, decisions
        self._clock, self._quiet = clock, quiet
        self._hears_events, self._logs, self._absence = hears_events, logs, absence
        self._listens_since: datetime | None = None
        self._looks: dict[int, datetime] = {}  #: at Email Logs, by batch
        self._trouble = ""  #: why Email Logs could not be read the last time
        self._failures = 0  #: to read them, one after another
        self._closed_until: datetime | None = None  #: until then they are left alone

    @property
    def patience(self) -> timedelta:
        """Return how long a batch is unknown before a person is asked."""
        if self._hears_events or self._logs is None or self._trouble:
            return self._quiet
        return self._absence or self._quiet

    def means(self) -> Means:
        """Say how unknown batches are settled here; Email Logs are asked whether they may be."""
        if self._hears_events:
            return Means(evidence=ReconciliationEvidence.EVENTS)
        if self._logs is None:
            return Means(
                evidence=ReconciliationEvidence.NONE,
                obstacle="there is no key to ask Email Logs with",
            )
        self._trouble = self._logs.obstacle() or ""
        evidence = ReconciliationEvidence.NONE if self._trouble else ReconciliationEvidence.LOGS
        return Means(evidence=evidence, obstacle=self._trouble)

    def listen(self) -> None:
        """Say that this process hears events from now on; one that hears none knows no silence."""
        self._listens_since = self._clock.now()

    def listed(self) -> tuple[tuple[UnknownBatch, Reconciliation], ...]:
        """Return every unknown batch, and what silence permits by now."""
        now = self._clock.now()
        return tuple(
            (batch, settle(batch, now=now, quiet_period=self.patience)) for batch in self._unknown()
        )

    def _unknown(self) -> Iterator[UnknownBatch]:
        for batch in self._unknowns.unknown():
            # Events that were heard once say nothing about a silence that nobody listens to.
            yield replace(batch, others_heard=batch.others_heard and self._hears_events)

    def by_silence(self) -> int:
        """Send again what silence permits; return how many batches that is.

        While nobody listened, events waited at SendGrid's to be posted again: a silence counts
        once this process itself has listened for a quiet period.
        """
        quiet = [batch for batch, found in self.listed() if found is Reconciliation.RESEND]
        since = self._listens_since
        if since is None or self._clock.now() < since + self._quiet:
            return 0
        return sum(self._resend(batch, _SILENCE, "no event") for batch in quiet)

    def by_logs(self) -> int:
        """Ask Email Logs about the batches that are due; return how many were settled.

        When they are not to be read at all, the round ends, and the next one comes later.
        """
        if self._logs is None or (self._closed_until and self._clock.now() < self._closed_until):
            return 0
        settled = 0
        for batch in self._due():
            found = self._logs.seek(self._unknowns.probe(batch.batch_id))
            if isinstance(found, Unavailable) and found.at_all:
                self._close_logs(found.reason)
                break
            self._failures, self._trouble = 0, ""
            self._looks[batch.batch_id] = self._clock.now()
            settled += self._act_on(batch, found)
        return settled

    def _due(self) -> list[UnknownBatch]:
        """Return the batches to look for now: where events are heard, those they do not tell of."""
        now, listed = self._clock.now(), self.listed()
        known = {batch.batch_id for batch, _ in listed}
        self._looks = {batch: at for batch, at in self._looks.items() if batch in known}
        return [
            batch
            for batch, found in listed
            if not self._hears_events or found is Reconciliation.PERSON
            if (due := next_look(batch, self._last_look(batch), self.patience)) and due <= now
        ]

    def _last_look(self, batch: UnknownBatch) -> datetime:
        return self._looks.get(batch.batch_id, batch.asked)

    def _act_on(self, batch: UnknownBatch, found: Sighting) -> bool:
        if isinstance(found, Shown):
            return self._unknowns.prove(found.attempt_id, self._clock.now())
        if self._hears_events or not self._absence:
            return False
        permitted = self._permits(batch, found, others_shown=True)  # a look costs calls
        if permitted and self._permits(batch, found, others_shown=self._others_shown(batch)):
            because = "Email Logs do not show it, but another batch asked no sooner"
            return self._resend(batch, _LOGS, because)
        return False

    def _permits(self, batch: UnknownBatch, found: Sighting, *, others_shown: bool) -> bool:
        settlement = settle_by_logs(
            batch,
            found,
            others_shown=others_shown,
            now=self._clock.now(),
            patience=self.patience,
        )
        return settlement is Reconciliation.RESEND

    def _others_shown(self, batch: UnknownBatch) -> bool:
        probe = self._unknowns.witness(batch)
        return bool(probe and self._logs and isinstance(self._logs.seek(probe), Shown))

    def _close_logs(self, reason: str) -> None:
        if reason != self._trouble:  # told once
            _log.warning("not settled by Email Logs: %s", reason, extra={"action": "logs.failed"})
        self._failures, self._trouble = self._failures + 1, reason
        self._closed_until = self._clock.now() + backoff(self._failures)

    def by_hand(self, batch_id: int, ruling: Resolution, *, actor: str, because: str) -> None:
        """Keep a person's decision; NotAllowed if the batch is not unknown (any more)."""
        if not self._decide(batch_id, ruling, actor, because):
            raise NotAllowed(f"batch {batch_id} is not unknown: there is nothing to settle")

    def _resend(self, batch: UnknownBatch, actor: str, because: str) -> bool:
        """Permit the one re-send, unless the batch was asked for again since it was looked at."""
        return self._decide(batch.batch_id, Resolution.RESEND, actor, because, batch.attempts)

    def _decide(
        self,
        batch_id: int,
        ruling: Resolution,
        actor: str,
        because: str,
        attempts: int | None = None,
    ) -> bool:
        told = f"settled by {actor}: {because}"
        if not self._unknowns.settle(batch_id, ruling, told, attempts):
            return False
        detail = {"ruling": ruling.value, "because": because}
        self._decisions.note(actor, f"batch {batch_id}", "settle", detail)
        return True
