"""Claims, sends and records batches, and recovers what dead workers left: the worker's loop.

The order matters. A batch is claimed in a short transaction, in which consent is checked again;
SendGrid is asked once, with no transaction open; the answer is recorded, at once or together with
the claim of the next batch. Whatever dies in between leaves a claim whose lease runs out into
*unknown*, and an unknown is never sent again from here.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from newsletter.core.delivery import Accepted, Claim, NotYet, Outcome, Refused, Remedy, dispose
from newsletter.core.edition import edition_of
from newsletter.core.mailing import Envelope
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NewsletterError
from newsletter.ports import BatchQueue, Clock, Mailer
from newsletter.services.planning import queue_waiting
from newsletter.services.publishing import Publishing
from newsletter.services.reconciliation import Reconciling
from newsletter.services.sending_limits import SendingLimits
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issues import IssueStore


class BatchMailer:
    """Composes the letter of a claimed batch and sends it, unless its issue changed since."""

    def __init__(
        self,
        newsletters: Mapping[str, Newsletter],
        publishing: Publishing,
        issues: IssueStore,
        mailer: Mailer,
    ) -> None:
        self._newsletters, self._publishing = newsletters, publishing
        self._issues, self._mailer = issues, mailer
        self._frozen = lru_cache(maxsize=4)(self._approved_issue)

    def send(self, claim: Claim) -> Outcome:
        """Ask SendGrid once, and return which of the three answers came."""
        try:
            envelope, stored = self._frozen(claim.issue_id)
            edition = edition_of(stored.issue, claim.brief_ids)
            letter = self._publishing.letter(stored, edition)
        except NewsletterError as error:  # nothing was asked: a person must look
            return Refused(reason=str(error), remedy=Remedy.PAUSE, reached=False)
        return self._mailer.send(envelope, letter, claim)

    def _approved_issue(self, issue_id: int) -> tuple[Envelope, StoredIssue]:
        stored = self._issues.get(issue_id)
        newsletter = self._newsletters[stored.issue.newsletter]
        self._publishing.refuse_changes(newsletter, stored)
        return self._publishing.envelope(newsletter), stored


@dataclass(eq=False)
class Sending:
    """Claims batches, sends each once, and records what came of it."""

    mailer: BatchMailer
    issues: IssueStore
    deliveries: DeliveryStore
    limits: SendingLimits
    queue: BatchQueue
    clock: Clock
    new_id: Callable[[], str]
    dice: Callable[[], float]
    lease: timedelta

    def send_batches(self, batch_ids: Iterable[int]) -> None:
        """Claim one batch after another, send each once, and record the answers.

        An acceptance is recorded in the transaction that claims the next batch; any other answer
        is recorded first, and so is one after which the circuit breaker is to look.
        """
        held: tuple[Claim, Accepted] | None = None  # accepted, and not recorded yet
        try:
            for batch_id in batch_ids:
                claim, held = self._claim_in_time(batch_id, held), None
                match claim:
                    case Claim():
                        held = self._take(claim, self.mailer.send(claim))
                    case NotYet(until=until):
                        self.queue.enqueue([batch_id], at=until)
                    case None:
                        pass  # another worker has it, or the issue is paused
        finally:  # whatever happened to the next batch, this one was accepted
            if held:
                self._record(*held)

    def work_on(self, stored: StoredIssue, on_progress: Callable[[int, int], None]) -> StoredIssue:
        """Work on batches in this process until every batch of the issue was requested.

        One whose answer was lost is not waited for: evidence may take hours.
        `on_progress` gets recipients with an outcome, and all of them, a few times a second.
        """
        stopping = threading.Event()
        with ThreadPoolExecutor(max_workers=1) as pool:
            working = pool.submit(self._drain, stored.id, stopping)
            try:
                while not wait([working], timeout=0.25).done:
                    on_progress(*self.deliveries.progress(stored.id))
            except BaseException:  # a person interrupts: what is in hand is still recorded
                stopping.set()
                self.queue.stop()
                raise
        working.result()
        return self.issues.get(stored.id)

    def _drain(self, issue_id: int, stopping: threading.Event) -> None:
        while self._is_to_go(issue_id) and not stopping.is_set():
            self.limits.enforce_held()
            self.queue.work(until_empty=True)
            self.deliveries.expire_leases(self.clock.now())
            queue_waiting(self.deliveries, self.queue, issue_id)  # what a dead worker had
            stopping.wait(0.2)  # a batch waits for its moment, or another worker has it

    def _is_to_go(self, issue_id: int) -> bool:
        done, total = self.deliveries.progress(issue_id)
        return done < total and self.issues.get(issue_id).state is IssueStatus.SENDING

    def _claim_in_time(
        self, batch_id: int, held: tuple[Claim, Accepted] | None
    ) -> Claim | NotYet | None:
        """Claim a batch; wait where only moments are missing.

        The rate limit holds for every worker. A batch put back for half a second would be looked at
        again seconds later, and so would each of the others: far fewer would leave than may.
        """
        claim = self._claim(batch_id, held)
        while isinstance(claim, NotYet) and self.queue.wait(self._seconds_to(claim.until)):
            claim = self._claim(batch_id, None)
        return claim

    def _seconds_to(self, moment: datetime) -> float:
        return (moment - self.clock.now()).total_seconds()

    def _claim(self, batch_id: int, held: tuple[Claim, Accepted] | None) -> Claim | NotYet | None:
        now, attempt_id, lease = self.clock.now(), self.new_id(), self.lease
        if held is None:
            return self.deliveries.claim(batch_id, attempt_id=attempt_id, lease=lease, now=now)
        return self.deliveries.record_and_claim(
            *held, batch_id, attempt_id=attempt_id, lease=lease, now=now
        )

    def _take(self, claim: Claim, outcome: Outcome) -> tuple[Claim, Accepted] | None:
        if isinstance(outcome, Accepted) and not self.limits.look_is_due(claim):
            return claim, outcome
        self._record(claim, outcome)
        self.limits.enforce()  # sooner than the scheduler would
        return None

    def _record(self, claim: Claim, outcome: Outcome) -> None:
        now = self.clock.now()
        disposition = dispose(outcome, claim, now, spread=self.dice())
        again = self.deliveries.record(claim, outcome, disposition, now)
        self.queue.enqueue(again, at=disposition.not_before or disposition.closed_until)


@dataclass(eq=False)
class Recovery:
    """Expires leases, enforces the sending limits, reconciles by events, and queues what waits."""

    deliveries: DeliveryStore
    limits: SendingLimits
    reconciling: Reconciling
    queue: BatchQueue
    clock: Clock

    def recover(self) -> int:
        """Recover once; harmless to repeat. Return how many batches became unknown."""
        expired = self.deliveries.expire_leases(self.clock.now())
        self.limits.enforce()
        self.reconciling.by_events()
        queue_waiting(self.deliveries, self.queue)
        return expired
