"""Planning an issue's deliveries, and claiming, sending and recording each batch.

The order is the whole point. A batch is claimed in a short transaction, in which consent is asked
again; SendGrid is asked once, with no transaction open; the answer is recorded, at once or together
with the claim of the next batch. Whatever dies in between leaves a claim whose lease runs out into
*unknown*, and an unknown is never asked again from here.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

from newsletter.core.delivery import Accepted, Claim, NotYet, Outcome, Refused, Remedy, dispose
from newsletter.core.edition import edition_for, edition_of
from newsletter.core.mailing import Envelope, envelope_of
from newsletter.core.publication import Newsletter, Readers
from newsletter.core.send_checks import obstacles
from newsletter.core.stored import IssueStatus, StoredIssue, send_key
from newsletter.core.timetable import wave_moment
from newsletter.errors import NewsletterError, NotAllowed, NotApproved
from newsletter.ports import BatchQueue, Clock, Mailer
from newsletter.services.publishing import Publishing
from newsletter.services.reconciliation import Reconciling
from newsletter.services.sending_limits import SendingLimits
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issues import IssueStore
from subscribers.segments.service import Segments

_Held = tuple[Claim, Accepted]  #: accepted, and not recorded yet


class Sending:
    """The post room."""

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        publishing: Publishing,
        issues: IssueStore,
        deliveries: DeliveryStore,
        braking: SendingLimits,
        settling: Reconciling,
        mailer: Mailer,
        queue: BatchQueue,
        clock: Clock,
        new_id: Callable[[], str],
        dice: Callable[[], float],
        base_url: str,
        sendgrid_host: str,
        batch_size: int,
        lease: timedelta,
        wake: Callable[[datetime], object],
        segments: Segments,
    ) -> None:
        self._newsletters, self._publishing = newsletters, publishing
        self._issues, self._deliveries = issues, deliveries
        self._braking, self._settling = braking, settling
        self._mailer, self._queue = mailer, queue
        self._clock, self._new_id, self._dice = clock, new_id, dice
        self._base_url, self._sendgrid_host = base_url, sendgrid_host
        self._batch_size, self._lease = batch_size, lease
        self._wake = wake  #: ends the pauses of subscribers that are over
        self._segments = segments
        self._frozen = lru_cache(maxsize=4)(self._approved_issue)

    def send(self, newsletter: Newsletter, on: date, *, segment: str | None = None) -> StoredIssue:
        """Plan the issue of a date and hand its batches to the workers.

        With a segment it goes to those of its readers who are in it now, and to nobody else, ever.
        Doing it again plans nothing again; it hands over the batches still waiting. An issue that
        was paused goes on. An empty issue stays empty.
        """
        filed = self._ready(newsletter, on)
        _refuse_other_readers(filed, segment)
        if filed.state in (IssueStatus.EMPTY, IssueStatus.SENT, IssueStatus.CANCELLED):
            return filed
        self._refuse_obstacles(newsletter)
        if filed.state is IssueStatus.APPROVED:
            if not self.plan(newsletter, filed, segment=segment):
                _refuse_other_readers(self._issues.get(filed.id), segment)
        elif filed.state is IssueStatus.PAUSED:
            self._issues.resume(filed.id, self._clock.now())
        self._hand_over(filed.id)
        return self._issues.get(filed.id)

    def plan(
        self, newsletter: Newsletter, filed: StoredIssue, *, segment: str | None = None
    ) -> bool:
        """Write down who gets which edition in which batch; False if that was done before."""
        self._refuse_changes(newsletter, filed)
        now = self._clock.now()
        self._wake(now)
        readers = self._readers(newsletter, filed, segment)
        planned = self._deliveries.plan(
            filed.id,
            partial(edition_for, filed.issue),
            batch_size=self._batch_size,
            now=now,
            readers=readers,
            wave=_wave(newsletter, filed),
            fresh_for=timedelta(hours=newsletter.timetable.catch_up_hours),
        )
        if readers.segment:  # from now on deliveries and exclusions say who was in it
            self._segments.release(readers.segment)
        return planned

    def _readers(self, newsletter: Newsletter, filed: StoredIssue, segment: str | None) -> Readers:
        """Return whom the issue is for; who is in the segment is written down first."""
        if segment is None:
            return newsletter.readers
        send, whole = send_key(filed.id, segment), newsletter.readers
        self._segments.freeze(whole.newsletter, segment, send, now=self._clock.now())
        return replace(whole, segment=send)

    def send_batches(self, batch_ids: Iterable[int]) -> None:
        """Claim one batch after another, ask SendGrid once for each, and record the answers.

        An acceptance is recorded in the transaction that claims the next batch; whatever else was
        answered is recorded first.
        """
        held: _Held | None = None
        try:
            for batch_id in batch_ids:
                claim, held = self._claim(batch_id, held), None
                match claim:
                    case Claim():
                        held = self._take(claim, self._ask(claim))
                    case NotYet(until=until):
                        self._queue.enqueue([batch_id], at=until)
                    case None:
                        pass  # another worker has it, or the issue is paused
        finally:  # whatever befell the next batch, this one was accepted
            if held:
                self._record(*held)

    def _claim(self, batch_id: int, held: _Held | None) -> Claim | NotYet | None:
        now, attempt_id, lease = self._clock.now(), self._new_id(), self._lease
        if held is None:
            return self._deliveries.claim(batch_id, attempt_id=attempt_id, lease=lease, now=now)
        return self._deliveries.record_and_claim(
            *held, batch_id, attempt_id=attempt_id, lease=lease, now=now
        )

    def _take(self, claim: Claim, outcome: Outcome) -> _Held | None:
        if isinstance(outcome, Accepted):
            return claim, outcome
        self._record(claim, outcome)
        return None

    def recover(self) -> int:
        """Name what a dead worker left: expired claims become unknown, waiting batches get a job.

        The fuse is looked at, and silence is heard, too. Return how many batches became unknown.
        """
        expired = self._deliveries.expire_leases(self._clock.now())
        self._braking.watch()
        self._settling.by_silence()
        self._hand_over()
        return expired

    def _hand_over(self, issue_id: int | None = None) -> None:
        """Ask for a worker for each waiting batch, at the moment it waits for."""
        by_moment: dict[datetime | None, list[int]] = {}
        for batch_id, not_before in self._deliveries.waiting(issue_id):
            by_moment.setdefault(not_before, []).append(batch_id)
        for not_before, batch_ids in by_moment.items():
            self._queue.enqueue(batch_ids, at=not_before)

    def work_on(self, filed: StoredIssue, on_progress: Callable[[int, int], None]) -> StoredIssue:
        """Work on batches in this process until the issue has an outcome for each of its own.

        `on_progress` is told recipients answered for, and all of them, a few times a second.
        """
        stopping = threading.Event()
        with ThreadPoolExecutor(max_workers=1) as pool:
            working = pool.submit(self._drain, filed.id, stopping)
            try:
                while not wait([working], timeout=0.25).done:
                    on_progress(*self._deliveries.progress(filed.id))
            except BaseException:  # a person interrupts: what is in hand is still recorded
                stopping.set()
                self._queue.stop()
                raise
        working.result()
        return self._issues.get(filed.id)

    def _drain(self, issue_id: int, stopping: threading.Event) -> None:
        while self._issues.get(issue_id).state is IssueStatus.SENDING and not stopping.is_set():
            self._queue.work(until_empty=True)
            self._deliveries.expire_leases(self._clock.now())
            stopping.wait(0.2)  # a batch waits for its moment, or another worker has it

    def _ask(self, claim: Claim) -> Outcome:
        try:
            envelope, filed = self._frozen(claim.issue_id)
            edition = edition_of(filed.issue, claim.brief_ids)
            letter = self._publishing.letter(filed, edition)
        except NewsletterError as error:  # nothing was asked: a person must look
            return Refused(reason=str(error), remedy=Remedy.PAUSE)
        return self._mailer.send(envelope, letter, claim)

    def _record(self, claim: Claim, outcome: Outcome) -> None:
        now = self._clock.now()
        disposition = dispose(outcome, claim, now, spread=self._dice())
        again = self._deliveries.record(claim, outcome, disposition, now)
        if not isinstance(outcome, Accepted):
            self._braking.watch()  # the fuse is quicker than the clock
        self._queue.enqueue(again, at=disposition.not_before or disposition.closed_until)

    def _approved_issue(self, issue_id: int) -> tuple[Envelope, StoredIssue]:
        filed = self._issues.get(issue_id)
        newsletter = self._newsletters[filed.issue.newsletter]
        self._refuse_changes(newsletter, filed)
        return envelope_of(newsletter, self._base_url), filed

    def _ready(self, newsletter: Newsletter, on: date) -> StoredIssue:
        filed = self._issues.find(newsletter.slug, on)
        if filed is None or filed.state.is_open:
            filed = self._publishing.assemble(newsletter, on)
        if filed.state is IssueStatus.DRAFT:
            which = f" --newsletter {newsletter.slug}" if newsletter.week_of else ""
            raise NotApproved(
                f"the issue of {on} is not approved; run `newsletter issue approve --date {on}"
                f"{which}`"
            )
        return filed

    def _refuse_obstacles(self, newsletter: Newsletter) -> None:
        found = list(
            obstacles(newsletter, public_url=self._base_url, sendgrid_host=self._sendgrid_host)
        )
        if not found and (obstacle := self._mailer.obstacle()):
            found.append(obstacle)
        if found:
            raise NotAllowed(f"{newsletter.slug} cannot be sent: {' '.join(found)}")

    def _refuse_changes(self, newsletter: Newsletter, filed: StoredIssue) -> None:
        if self._publishing.changed(newsletter, filed):
            raise NotAllowed(
                f"issue {filed.issue.number} of {filed.issue.date} is not what was approved: its "
                "sender or links changed since; put them back, or assemble and approve it again"
            )


def _refuse_other_readers(filed: StoredIssue, segment: str | None) -> None:
    if segment is None or filed.planned_at is None or filed.segment == segment:
        return
    whom = f"the segment {filed.segment}" if filed.segment else "all its readers"
    raise NotAllowed(
        f"the issue of {filed.issue.date} was planned for {whom}: it does not go to the segment "
        f"{segment}, too"
    )


def _wave(newsletter: Newsletter, filed: StoredIssue) -> Callable[[str], datetime] | None:
    if not newsletter.timetable.reader_time:
        return None
    return partial(wave_moment, newsletter.timetable, filed.issue.date)
