"""Plans who gets which edition of an issue in which batch, and hands the batches to workers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from newsletter.core.edition import edition_for
from newsletter.core.newsletter_checks import obstacles
from newsletter.core.publication import Newsletter, Readers
from newsletter.core.stored import IssueStatus, StoredIssue, send_key
from newsletter.core.timetable import wave_moment
from newsletter.errors import NotAllowed, NotApproved
from newsletter.ports import BatchQueue, Clock, Mailer
from newsletter.services.publishing import Publishing
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issues import IssueStore
from subscribers.segments.service import Segments
from subscribers.subscriptions.service import Subscriptions


def queue_waiting(
    deliveries: DeliveryStore, queue: BatchQueue, issue_id: int | None = None
) -> None:
    """Queue each waiting batch that no job has, of one issue or of all, for its moment."""
    by_moment: dict[datetime | None, list[int]] = {}
    for batch_id, not_before in deliveries.waiting(issue_id):
        by_moment.setdefault(not_before, []).append(batch_id)
    for not_before, batch_ids in by_moment.items():
        queue.enqueue(batch_ids, at=not_before, unless_running=True)


@dataclass(eq=False)
class SendChecks:
    """Collects the obstacles in a newsletter's file, in the settings, and at SendGrid."""

    mailer: Mailer
    public_url: str
    sendgrid_host: str

    def obstacles(self, newsletter: Newsletter) -> list[str]:
        """Return the obstacles in the newsletter's file and in the settings, without SendGrid."""
        return list(
            obstacles(newsletter, public_url=self.public_url, sendgrid_host=self.sendgrid_host)
        )

    def refuse_obstacles(self, newsletter: Newsletter) -> None:
        """Raise NotAllowed with every obstacle; SendGrid is only asked when there is no other."""
        found = self.obstacles(newsletter)
        if not found and (obstacle := self.mailer.obstacle()):
            found.append(obstacle)
        if found:
            raise NotAllowed(f"{newsletter.slug} cannot be sent: {' '.join(found)}")


class HandOver(NamedTuple):
    """An issue after its batches were handed over."""

    issue: StoredIssue
    planned: bool  #: by this call; otherwise it had been planned before, or nothing is sent


@dataclass(eq=False)
class Planning:
    """Checks that an issue may be sent, plans its deliveries, and hands over its batches."""

    publishing: Publishing
    send_checks: SendChecks
    issues: IssueStore
    deliveries: DeliveryStore
    subscriptions: Subscriptions
    segments: Segments
    queue: BatchQueue
    clock: Clock
    batch_size: int
    poll_again: Callable[[Newsletter, date], object]  #: the sources of a day's issue

    def hand_over(
        self,
        newsletter: Newsletter,
        on: date,
        *,
        segment: str | None = None,
        actor: str = "the schedule",
        leaves_at: datetime | None = None,
    ) -> HandOver:
        """Plan the issue of a date and hand its batches to the workers.

        With a segment it goes to those of its readers who are in it now, and to nobody else, ever.
        Doing it again plans nothing again; it hands over the batches still waiting. A paused issue
        stays paused: NotAllowed says who paused it, why, and what continues it. An empty issue
        stays empty. With `leaves_at` it is planned only if nobody called it back from that moment.
        """
        self.poll_again(newsletter, on)  # what was taken down since is not sent
        stored = self._ready(newsletter, on)
        _refuse_other_readers(stored, segment)
        if stored.state in (IssueStatus.EMPTY, IssueStatus.SENT, IssueStatus.CANCELLED):
            return HandOver(stored, planned=False)
        _refuse_paused(stored)
        self.send_checks.refuse_obstacles(newsletter)
        planned = stored.state is IssueStatus.APPROVED and self.plan(
            newsletter, stored, segment=segment, actor=actor, leaves_at=leaves_at
        )
        if not planned:  # who planned it meanwhile may have chosen other readers
            _refuse_other_readers(self.issues.get(stored.id), segment)
        queue_waiting(self.deliveries, self.queue, stored.id)
        return HandOver(self.issues.get(stored.id), planned=planned)

    def plan(
        self,
        newsletter: Newsletter,
        stored: StoredIssue,
        *,
        segment: str | None = None,
        actor: str = "",
        leaves_at: datetime | None = None,
    ) -> bool:
        """Store who gets which edition in which batch; False if that was done before."""
        self.publishing.refuse_changes(newsletter, stored)
        now = self.clock.now()
        self.subscriptions.end_expired_pauses(now)
        readers = self._readers(newsletter, stored, segment)
        planned = self.deliveries.plan(
            stored.id,
            partial(edition_for, stored.issue),
            batch_size=self.batch_size,
            now=now,
            actor=actor,
            leaves_at=leaves_at,
            readers=readers,
            wave=_wave(newsletter, stored),
            fresh_for=timedelta(hours=newsletter.timetable.catch_up_hours),
        )
        if readers.segment:  # from now on deliveries and exclusions say who was in it
            self.segments.release(readers.segment)
        return planned

    def _ready(self, newsletter: Newsletter, on: date) -> StoredIssue:
        stored = self.issues.find(newsletter.slug, on)
        if stored is None or stored.state.is_open:
            stored = self.publishing.assemble(newsletter, on)
        if stored.state is IssueStatus.DRAFT:
            which = f" --newsletter {newsletter.slug}" if newsletter.week_of else ""
            raise NotApproved(
                f"the issue of {on} is not approved; run `newsletter issue approve --date {on}"
                f"{which}`"
            )
        return stored

    def _readers(self, newsletter: Newsletter, stored: StoredIssue, segment: str | None) -> Readers:
        """Return whom the issue is for; the members of a segment are stored first."""
        if segment is None:
            return newsletter.readers
        send, whole = send_key(stored.id, segment), newsletter.readers
        if not self.segments.freeze(whole.newsletter, segment, send, now=self.clock.now()):
            raise NotAllowed(f"nobody is in the segment {segment} now: the issue is not planned")
        return replace(whole, segment=send)


def _refuse_paused(stored: StoredIssue) -> None:
    if stored.state is IssueStatus.PAUSED:
        raise NotAllowed(f"the issue of {stored.issue.date} is {stored.pause}")


def _refuse_other_readers(stored: StoredIssue, segment: str | None) -> None:
    if segment is None or stored.planned_at is None or stored.segment == segment:
        return
    whom = f"the segment {stored.segment}" if stored.segment else "all its readers"
    raise NotAllowed(
        f"the issue of {stored.issue.date} was planned for {whom}: it is not sent to the segment "
        f"{segment}, too"
    )


def _wave(newsletter: Newsletter, stored: StoredIssue) -> Callable[[str], datetime] | None:
    if not newsletter.timetable.reader_time:
        return None
    return partial(wave_moment, newsletter.timetable, stored.issue.date)
