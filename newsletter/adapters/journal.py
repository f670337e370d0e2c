"""The journal: the stores as a service runs them, each telling the log what it has just kept.

What is told is on file already, so the log never knows more than the database does. Every line has
an action and ids; nobody's address and no letter's text is in it.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from newsletter.core.brief import Brief
from newsletter.core.delivery import (
    Accepted,
    BatchState,
    Claim,
    Disposition,
    NotYet,
    Outcome,
)
from newsletter.core.events import DeliveryEvent
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.reconciliation import Resolution
from newsletter.core.source_record import SourceRecord
from newsletter.core.stored import StoredBrief, StoredIssue
from newsletter.core.verification import Verdict
from newsletter.ports import StoredEvents
from newsletter.stores.briefs import BriefStore
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.events import EventStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.sending_limits import SendingLimitStore
from newsletter.stores.sources import SourceStore
from newsletter.stores.unknown_batches import UnknownBatchStore

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # a verb that answers a person has no log


def _tell(action: str, words: str, *, level: int = logging.INFO, **ids: Any) -> None:
    _log.log(level, words, extra={"action": action, **ids})


class JournaledBriefs(BriefStore):
    """Briefs whose rulings are told."""

    def file(self, brief: Brief, verdict: Verdict, now: datetime) -> StoredBrief:
        """Keep a brief and its verdict."""
        filed = super().file(brief, verdict, now)
        ids = {"brief": filed.brief_id, "revision": filed.revision}
        _tell(f"brief.{filed.ruling}", " ".join(filed.reasons) or "filed", **ids)
        return filed


class JournaledIssues(IssueStore):
    """Issues whose steps are told."""

    def draft(
        self, issue: Issue, galley: Galley | None, content_hash: str | None, now: datetime
    ) -> StoredIssue:
        """Keep a draft."""
        filed = super().draft(issue, galley, content_hash, now)
        words = f"{issue.newsletter} of {issue.date}: {len(issue.entries)} briefs"
        _tell("issue.assembled", words, issue=filed.id, state=filed.state)
        return filed

    def approve(self, issue_id: int, content_hash: str, by: str, now: datetime) -> StoredIssue:
        """Freeze the issue."""
        filed = super().approve(issue_id, content_hash, by, now)
        _tell("issue.approved", "approved", issue=issue_id, by=by)
        return filed

    def resume(self, issue_id: int, now: datetime) -> None:
        """Let a paused issue's batches leave again."""
        super().resume(issue_id, now)
        _tell("issue.resumed", "resumed", issue=issue_id)


class JournaledDeliveries(DeliveryStore):
    """Deliveries whose plan and whose answers are told."""

    def plan(self, issue_id: int, *choices: Any, **more: Any) -> bool:
        """Write down who gets what."""
        planned = super().plan(issue_id, *choices, **more)
        if planned:
            _tell("issue.planned", "planned", issue=issue_id)
        return planned

    def record(
        self, claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
    ) -> tuple[int, ...]:
        """Keep the answer to an attempt."""
        again = super().record(claim, outcome, disposition, now)
        _tell_answer(claim, outcome, disposition.state, disposition.reason)
        if disposition.pause:
            _tell("issue.paused", disposition.reason, level=logging.WARNING, issue=claim.issue_id)
        return again

    def record_and_claim(
        self, claim: Claim, accepted: Accepted, batch_id: int, **choices: Any
    ) -> Claim | NotYet | None:
        """Keep an acceptance and take the next batch."""
        claimed = super().record_and_claim(claim, accepted, batch_id, **choices)
        _tell_answer(claim, accepted, BatchState.ACCEPTED)
        return claimed

    def expire_leases(self, now: datetime) -> int:
        """Turn batches whose worker never answered into unknown ones."""
        expired = super().expire_leases(now)
        if expired:
            words = "their workers never recorded an answer"
            _tell("batch.unknown", words, level=logging.WARNING, batches=expired)
        return expired


def _tell_answer(claim: Claim, outcome: Outcome, state: BatchState, reason: str = "") -> None:
    _tell(
        f"batch.{type(outcome).__name__.lower()}",
        reason or "accepted",
        level=logging.INFO if isinstance(outcome, Accepted) else logging.WARNING,
        recipients=len(claim.recipients),
        state=state,
        issue=claim.issue_id,
        batch=claim.batch_id,
        attempt=claim.attempt_id,
    )


class JournaledBrakes(SendingLimitStore):
    """Brakes that tell when they are pulled."""

    def pause(self, issue_id: int, reason: str, now: datetime) -> bool:
        """Let no further batch leave."""
        paused = super().pause(issue_id, reason, now)
        if paused:
            _tell("issue.paused", reason, level=logging.WARNING, issue=issue_id)
        return paused

    def cancel(self, issue_id: int, reason: str) -> bool:
        """Leave out whatever has not left."""
        cancelled = super().cancel(issue_id, reason)
        if cancelled:
            _tell("issue.cancelled", reason, level=logging.WARNING, issue=issue_id)
        return cancelled


class JournaledUnknowns(UnknownBatchStore):
    """Unknown batches whose settlement is told."""

    def settle(
        self, batch_id: int, ruling: Resolution, reason: str, attempts: int | None = None
    ) -> bool:
        """Settle an unknown batch."""
        settled = super().settle(batch_id, ruling, reason, attempts)
        if settled:
            _tell("batch.settled", reason, batch=batch_id, ruling=ruling)
        return settled

    def prove(self, attempt_id: str, now: datetime) -> bool:
        """Keep that Email Logs show an attempt."""
        settled = super().prove(attempt_id, now)
        if settled:
            words = "Email Logs show that it was accepted"
            _tell("batch.settled", words, attempt=attempt_id, ruling=Resolution.ACCEPTED)
        return settled


class JournaledEvents(EventStore):
    """Events whose coming is told, post by post."""

    def keep(self, events: Sequence[DeliveryEvent], now: datetime) -> StoredEvents:
        """Keep new events."""
        kept = super().keep(events, now)
        counts = {"new": len(kept.new), "repeated": kept.repeated, "settled": kept.settled}
        _tell("events.kept", "kept", **counts)
        return kept


class JournaledSources(SourceStore):
    """Polled sources whose answers are told."""

    def record(self, newsletter: str, source: str, record: SourceRecord) -> None:
        """Keep how a source stands now."""
        super().record(newsletter, source, record)
        failed = bool(record.error)
        _tell(
            "source.failed" if failed else "source.polled",
            record.error or "polled",
            level=logging.WARNING if failed else logging.INFO,
            newsletter=newsletter,
            source=source,
        )
