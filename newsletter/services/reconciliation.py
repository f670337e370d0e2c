"""Reconciles unknown batches: by events or Email Logs, which permit one re-send, or by a person.

An event proves its batch accepted as it is stored. Here the *absence* of events is judged, in a
process that receives them. Email Logs are searched where no events are received, before a batch
is sent again, and before it is left to a person: what they show proves it accepted.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from newsletter.core.delivery import backoff
from newsletter.core.reason import given
from newsletter.core.reconciliation import (
    Judgement,
    Reconciliation,
    ReconciliationEvidence,
    ReconciliationMeans,
    Resolution,
    Shown,
    Sighting,
    Unavailable,
    UnknownBatch,
    absent_from_both,
    looked_back,
    next_check,
    reconcile_by_logs,
    reconcile_on_line,
    seen_every,
)
from newsletter.errors import NotAllowed
from newsletter.ports import Clock, EmailLogs
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.unknown_batches import UnknownBatchStore
from newsletter.stores.webhook_line import WebhookLineStore

_EVENTS = "reconciliation by events"
_LOGS = "reconciliation by Email Logs"
_BOTH = "reconciliation by events and Email Logs"
_FIRST_SEARCH = timedelta(minutes=1)  #: by then an event usually has come

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Reconciling:
    """Finds out what became of unknown batches, and sends again what evidence permits."""

    unknowns: UnknownBatchStore
    webhook_line: WebhookLineStore
    decisions: DecisionLog
    clock: Clock
    quiet_period: timedelta
    new_receiver: Callable[[], str]
    receives_events: bool = True
    logs: EmailLogs | None = None
    confirmed: timedelta = timedelta(0)  #: absence from both events and Email Logs; 0: no matter
    absence: timedelta | None = None  #: None: what Email Logs do not show permits no re-send
    _receiver: str = field(init=False, default="")  #: this process, once it receives events
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

    @property
    def seen_every(self) -> timedelta:
        """Return how often `record_receiving` is to be called."""
        return seen_every(self.quiet_period)

    def start_receiving(self) -> None:
        """Note that this process receives events from now on, and not without a break before."""
        self._receiver = self.new_receiver()

    def record_receiving(self) -> None:
        """Record that this process receives events, if it does: only then their absence counts."""
        if self._receiver:
            pause = 3 * self.seen_every
            self.webhook_line.record_receiver(self._receiver, self.clock.now(), pause)

    def unknown_batches(self) -> tuple[tuple[UnknownBatch, Reconciliation], ...]:
        """Return every unknown batch, and what the absence of events permits by now."""
        return tuple((batch, found.reconciliation) for batch, found in self.judgements())

    def judgements(self) -> tuple[tuple[UnknownBatch, Judgement], ...]:
        """Return the same, with what holds a re-send, and until when."""
        batches = self.unknowns.unknown()
        if not batches:
            return ()
        if not self.receives_events:  # those received in the past say nothing any more
            batches = tuple(replace(batch, others_received=False) for batch in batches)
        now, patience = self.clock.now(), self.patience
        line = self.webhook_line.line(looked_back(batches[0].asked, now))
        return tuple(
            (one, reconcile_on_line(one, line, now=now, quiet_period=patience)) for one in batches
        )

    def by_events(self) -> int:
        """Send again what the absence of events permits, if this process receives them.

        Return how many batches that is. Email Logs are asked first, where they can be read.
        """
        if not self._receiver:
            return 0
        self.record_receiving()
        batches = self.unknown_batches()
        unseen = [batch for batch, found in batches if found is Reconciliation.RESEND]
        return sum(self._resend_unless_shown(batch) for batch in unseen)

    def _resend_unless_shown(self, batch: UnknownBatch) -> bool:
        found = self._seek(batch)
        if isinstance(found, Shown):
            self.unknowns.record_accepted(found.attempt_id, self.clock.now())
            return False
        absent = "" if isinstance(found, Unavailable) else ", and Email Logs do not show it"
        return self._resend(batch, _EVENTS, f"no event came, while others did throughout{absent}")

    def by_logs(self) -> int:
        """Search Email Logs for the batches that are due; return how many were reconciled.

        When they cannot be read at all, the run ends, and the next one comes later.
        """
        if self._logs_closed():
            return 0
        reconciled = 0
        for batch in self._due():
            found = self._seek(batch)
            if isinstance(found, Unavailable) and found.at_all:
                break
            reconciled += self._apply(batch, found)
        return reconciled

    def _logs_closed(self) -> bool:
        waiting = self._closed_until is not None and self.clock.now() < self._closed_until
        return self.logs is None or waiting

    def _seek(self, batch: UnknownBatch) -> Sighting:
        """Search Email Logs for a batch, unless they could not be read a moment ago."""
        if self.logs is None or self._logs_closed():
            return Unavailable("they are not read now")
        found = self.logs.seek(self.unknowns.probe(batch.batch_id))
        if isinstance(found, Unavailable) and found.at_all:
            self._close_logs(found.reason)
        else:
            self._failures, self._obstacle = 0, ""
            self._searched[batch.batch_id] = self.clock.now()
        return found

    def _due(self) -> list[UnknownBatch]:
        """Return the batches to search for now.

        With events, these are the ones left to a person, and young ones that the absence from both
        may permit to send again.
        """
        now, listed = self.clock.now(), self.unknown_batches()
        known = {batch.batch_id for batch, _ in listed}
        self._searched = {batch: at for batch, at in self._searched.items() if batch in known}
        return [
            batch
            for batch, found in listed
            if not self.receives_events or self._is_searched(batch, found)
            if (due := next_check(batch, self._last_search(batch), self._search_end)) and due <= now
        ]

    def _is_searched(self, batch: UnknownBatch, found: Reconciliation) -> bool:
        """Return whether Email Logs are searched for a batch although events are received."""
        if found in (Reconciliation.PERSON, Reconciliation.HELD):
            return True
        return bool(self.confirmed) and self.clock.now() >= batch.asked + _FIRST_SEARCH

    @property
    def _search_end(self) -> timedelta:
        return self.confirmed if self.receives_events and self.confirmed else self.patience

    def _last_search(self, batch: UnknownBatch) -> datetime:
        return self._searched.get(batch.batch_id, batch.asked)

    def _apply(self, batch: UnknownBatch, found: Sighting) -> bool:
        if isinstance(found, Shown):
            return self.unknowns.record_accepted(found.attempt_id, self.clock.now())
        if self.receives_events:
            return self._resend_if_absent_from_both(batch, found)
        if not self.absence:
            return False
        permitted = self._permits(batch, found, others_shown=True)  # searching costs API calls
        if permitted and self._permits(batch, found, others_shown=self._others_shown(batch)):
            because = "Email Logs do not show it, but another batch sent no sooner"
            return self._resend(batch, _LOGS, because)
        return False

    def _resend_if_absent_from_both(self, batch: UnknownBatch, found: Sighting) -> bool:
        now, confirmed = self.clock.now(), self.confirmed
        line = self.webhook_line.line(looked_back(batch.asked, now))
        absent = partial(absent_from_both, batch, line, found, now=now, confirmed=confirmed)
        if not absent(others_shown=True):  # searching costs API calls
            return False
        if not absent(others_shown=self._others_shown(batch)):
            return False
        because = "no event came and Email Logs do not show it, while both had others throughout"
        return self._resend(batch, _BOTH, because)

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
        """Apply a person's decision; NotAllowed without a reason, or if it is not unknown."""
        because = given(because)
        if not self._decide(batch_id, resolution, actor, because):
            raise NotAllowed(f"batch {batch_id} is not unknown: there is nothing to resolve")

    def _resend(self, batch: UnknownBatch, actor: str, because: str) -> bool:
        """Permit the one re-send, unless the batch was sent again since it was read."""
        sent, resend = batch.attempts, Resolution.RESEND
        said = "sent again after"
        return self._decide(batch.batch_id, resend, actor, because, said=said, attempts=sent)

    def _decide(
        self,
        batch_id: int,
        resolution: Resolution,
        actor: str,
        because: str,
        *,
        said: str = "resolved by",
        attempts: int | None = None,
    ) -> bool:
        reason = f"{said} {actor}: {because}"
        if not self.unknowns.resolve(batch_id, resolution, reason, attempts):
            return False
        detail = {"resolution": resolution.value, "because": because}
        self.decisions.record(actor, f"batch {batch_id}", "resolve", detail)
        return True
