"""Deliveries, batches and attempts: planned by set-based SQL, claimed and recorded one by one.

See docs/decisions/state-lives-on-the-batch.md.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter.core.delivery import Accepted, BatchState, Claim, Disposition, NotYet, Outcome
from newsletter.core.edition import Edition
from newsletter.core.issue_totals import DeliveryRecord, IssueTotals, Sums
from newsletter.core.publication import Readers
from newsletter.core.sending_limits import RateLimit
from newsletter.stores.acceptance import accept_batches, finish
from newsletter.stores.claiming import claim_batch, record_acceptance
from newsletter.stores.issue_audit import audit_sums
from newsletter.stores.issue_totals import issue_totals
from newsletter.stores.letter_traces import trace
from newsletter.stores.partitions import PartitionStore
from newsletter.stores.planning import plan_issue
from newsletter.stores.recording import record_failure
from subscribers.db.transaction import DatabaseStore, retried, transaction
from subscribers.model import TopicSet

_log = logging.getLogger(__name__)

_LATE = "the answer to an earlier request came late, and proved"

_EXPIRE = """
    UPDATE batch SET state = 'unknown', lease_until = NULL,
           reason = 'the worker that held it never recorded an answer'
     WHERE state = 'claimed' AND lease_until < %(now)s
"""

_WAITING = """
    SELECT batch.id, batch.not_before FROM batch JOIN issue ON issue.id = batch.issue_id
     WHERE batch.state = 'planned' AND issue.state = 'sending'
       AND (%(issue)s::bigint IS NULL OR issue.id = %(issue)s)
     ORDER BY batch.id
"""

_PROGRESS = """
    SELECT COALESCE(sum(size) FILTER (WHERE state NOT IN ('planned', 'claimed')), 0) AS done,
           COALESCE(sum(size), 0) AS total
      FROM batch WHERE issue_id = %(issue)s
"""

_DOUBLED = """
    SELECT issue.newsletter, issue.date, sum(doubled)::integer AS deliveries, count(*) AS batches
      FROM batch JOIN issue ON issue.id = issue_id WHERE doubled > 0
     GROUP BY issue.id ORDER BY issue.id
"""


class DeliveryStore(DatabaseStore):
    """Plans an issue's deliveries, and stores the claims and the answers of its batches."""

    def __init__(self, engine: Engine, rate_limit: RateLimit | None = None) -> None:
        super().__init__(engine)
        self._limit = rate_limit if rate_limit and rate_limit.limits else None
        self._partitions = PartitionStore(engine)

    def plan(
        self,
        issue_id: int,
        choose: Callable[[TopicSet], Edition | None],
        *,
        batch_size: int,
        now: datetime,
        actor: str = "the schedule",
        wave: Callable[[str], datetime] | None = None,
        fresh_for: timedelta | None = None,
        leaves_at: datetime | None = None,
        readers: Readers,
    ) -> bool:
        """Write down who gets which edition in which batch; False if that was done before.

        With `leaves_at`, only if that is still the moment at which a person has it leave.
        """
        values: dict[str, Any] = {
            "actor": actor,
            "issue": issue_id,
            "size": batch_size,
            "now": now,
            "fresh_for": fresh_for,
            "leaves_at": leaves_at,
        }
        values |= asdict(readers)

        self._partitions.prepare_for(issue_id)  # the clock makes it long before, where there is one

        def plan_once() -> bool:
            with transaction(self._engine, snapshot=True) as session:
                return plan_issue(session, values, choose, wave)

        if not retried(plan_once):  # of two at once, the second finds it planned
            return False
        self._partitions.analyze(issue_id)
        finish(self._engine)  # an issue for nobody is done at once
        _log.info("planned", extra={"action": "issue.planned", "issue": issue_id})
        return True

    def claim(
        self, batch_id: int, *, attempt_id: str, lease: timedelta, now: datetime
    ) -> Claim | NotYet | None:
        """Take a planned batch, checking consent again; None when it is not to be taken."""
        wanted = {"batch": batch_id, "attempt": attempt_id, "lease": now + lease, "now": now}

        def claim_once() -> Claim | NotYet | None:
            with transaction(self._engine) as session:
                return claim_batch(session, wanted, self._limit)

        claimed = retried(claim_once)
        if claimed is None:
            finish(self._engine)  # it may have been the last, with nobody left to write to
        return claimed

    def record_and_claim(
        self,
        claim: Claim,
        accepted: Accepted,
        batch_id: int,
        *,
        attempt_id: str,
        lease: timedelta,
        now: datetime,
    ) -> Claim | NotYet | None:
        """Record an acceptance and take the next batch, in one transaction."""
        wanted = {"batch": batch_id, "attempt": attempt_id, "lease": now + lease, "now": now}

        def record_and_claim_once() -> Claim | NotYet | None:
            with transaction(self._engine) as session:
                _accept(session, claim, accepted, now)
                return claim_batch(session, wanted, self._limit)

        claimed = retried(record_and_claim_once)
        if not isinstance(claimed, Claim):  # otherwise the record of that batch will look
            finish(self._engine)
        _log_answer(claim, accepted, BatchState.ACCEPTED)
        return claimed

    def record(
        self, claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
    ) -> tuple[int, ...]:
        """Record the answer to an attempt; return the batches that are to be tried again."""

        def record_once() -> tuple[int, ...]:
            with transaction(self._engine) as session:
                if not isinstance(outcome, Accepted):
                    return record_failure(session, claim, outcome, disposition, now)
                _accept(session, claim, outcome, now)
                return ()

        again = retried(record_once)  # an answer that is not recorded would become unknown
        if not again:  # as long as one is planned, the record of that one will look
            finish(self._engine)
        _log_answer(claim, outcome, disposition.state, disposition.reason)
        if disposition.pause:
            extra = {"action": "issue.paused", "issue": claim.issue_id}
            _log.warning(disposition.reason, extra=extra)
        return again

    def expire_leases(self, now: datetime) -> int:
        """Turn batches whose worker never answered into unknown ones; return how many."""
        expired = self._execute(_EXPIRE, now=now)
        finish(self._engine)
        if expired:
            extra = {"action": "batch.unknown", "batches": expired}
            _log.warning("their workers never recorded an answer", extra=extra)
        return expired

    def waiting(self, issue_id: int | None = None) -> tuple[tuple[int, datetime | None], ...]:
        """Return planned batches of sending issues, each with the moment it waits for."""
        found = self._rows(_WAITING, issue=issue_id)
        return tuple((row["id"], row["not_before"]) for row in found)

    def progress(self, issue_id: int) -> tuple[int, int]:
        """Return recipients answered for, and all of them; cheap enough to ask often."""
        [row] = self._rows(_PROGRESS, issue=issue_id)
        return row["done"], row["total"]

    def doubled_issues(self) -> tuple[tuple[str, date, int, int], ...]:
        """Return issues with doublings: newsletter, date, letters sent twice, and their batches."""
        found = self._rows(_DOUBLED)
        return tuple((r["newsletter"], r["date"], r["deliveries"], r["batches"]) for r in found)

    def totals(self, issue_id: int) -> IssueTotals:
        """Return what is known of an issue's sending, from counters."""
        with transaction(self._engine, snapshot=True) as session:
            return issue_totals(session, issue_id)

    def audit(self, issue_id: int) -> Sums:
        """Count the sums of an issue delivery by delivery, which may take a second."""
        with transaction(self._engine, snapshot=True) as session:
            return audit_sums(session, issue_id)

    def trace(self, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
        """Return what happened to a subscriber's letter; None if the issue never knew of them."""
        with transaction(self._engine, snapshot=True) as session:
            return trace(session, subscriber_id, issue_id)


def _accept(session: Session, claim: Claim, accepted: Accepted, now: datetime) -> None:
    if not record_acceptance(session, claim, accepted, now):
        # Somebody asked again in between, or an event was quicker. It is accepted all the same.
        accept_batches(session, [claim.attempt_id], evidence=_LATE)


def _log_answer(claim: Claim, outcome: Outcome, state: BatchState, reason: str = "") -> None:
    extra = {
        "action": f"batch.{type(outcome).__name__.lower()}",
        "recipients": len(claim.recipients),
        "state": state,
    }
    extra |= {"issue": claim.issue_id, "batch": claim.batch_id, "attempt": claim.attempt_id}
    level = logging.INFO if isinstance(outcome, Accepted) else logging.WARNING
    _log.log(level, reason or "accepted", extra=extra)
