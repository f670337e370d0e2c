"""What the services ask of the world: each port is answered by an adapter, or by a test's fake.

It is long because it is a list: signatures and a sentence each, nothing that runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from newsletter.core.brief import Brief
from newsletter.core.delivery import Accepted, Claim, Disposition, NotYet, Outcome
from newsletter.core.edition import Edition, Letter
from newsletter.core.events import DeliveryEvent
from newsletter.core.galley import Galley
from newsletter.core.issue import Candidate, Issue
from newsletter.core.issue_totals import Account, DeliveryRecord
from newsletter.core.mailing import Envelope
from newsletter.core.operator_alert import Notice
from newsletter.core.publication import Newsletter, Readers
from newsletter.core.reconciliation import Probe, Ruling, Sighting, UnknownBatch
from newsletter.core.sending_limits import Trouble
from newsletter.core.source import PolledSource
from newsletter.core.source_record import Answer, SourceRecord, Validators
from newsletter.core.stored import FiledBrief, FiledIssue
from newsletter.core.timetable import Standing, Watch
from newsletter.core.verification import Known, Verdict
from subscribers.model import TopicSet


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose delivery it was."""

    subscription_id: int
    email: str


@dataclass(frozen=True, kw_only=True)
class KeptEvents:
    """What a post of events came to."""

    new: tuple[DeliveryEvent, ...]
    repeated: int
    settled: int  #: unknown batches proven accepted


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who decided what, and when."""

    at: datetime
    actor: str
    verb: str
    detail: dict[str, Any]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware."""
        ...


class BriefStore(Protocol):
    """Keeps briefs, every revision of them, and what was decided about them."""

    def find(self, key: str) -> FiledBrief | None:
        """Return the brief of this key."""
        ...

    def get(self, brief_id: int) -> FiledBrief:
        """Return the brief of this id; NotFound if there is none."""
        ...

    def seen(self, key: str, digest: str) -> bool:
        """Tell whether this brief has ever said exactly this."""
        ...

    def known(self, pillar: str, since: datetime) -> tuple[Known, ...]:
        """Return what the duplicate check compares with: the pillar's briefs received since."""
        ...

    def file(self, brief: Brief, verdict: Verdict, now: datetime) -> FiledBrief:
        """Keep a new brief, or a new revision of a known one, with its verdict."""
        ...

    def decide(
        self,
        brief_id: int,
        verdict: Verdict,
        *,
        waived: Iterable[str],
        held_by: str | None,
    ) -> FiledBrief:
        """Keep what a person decided about a brief."""
        ...

    def on(self, start: datetime, end: datetime, pillar: str | None) -> tuple[FiledBrief, ...]:
        """Return the briefs received in [start, end)."""
        ...

    def candidates(
        self, newsletter: Newsletter, on: date, since: datetime
    ) -> tuple[Candidate, ...]:
        """Return accepted briefs received since, which stand in no other date's issue."""
        ...


class IssueStore(Protocol):
    """Keeps issues: one per newsletter and date, by constraint."""

    def find(self, newsletter: str, on: date) -> FiledIssue | None:
        """Return the issue of this date."""
        ...

    def get(self, issue_id: int) -> FiledIssue:
        """Return the issue of this id; NotFound if there is none."""
        ...

    def next_number(self, newsletter: str) -> int:
        """Return the number of the issue that comes next."""
        ...

    def draft(
        self, issue: Issue, galley: Galley | None, content_hash: str | None, now: datetime
    ) -> FiledIssue:
        """Keep a draft in place of an earlier draft; NotAllowed once the issue is frozen."""
        ...

    def approve(self, issue_id: int, content_hash: str, by: str, now: datetime) -> FiledIssue:
        """Freeze the issue if it still has this content; NotAllowed if it has another."""
        ...

    def withdraw(self, issue_id: int, reason: str) -> None:
        """Void the approval of an unplanned issue: it is a draft again."""
        ...

    def withdraw_brief(self, brief_id: int, reason: str) -> None:
        """Take a brief out of an unplanned issue, which is thereby a draft again."""
        ...

    def published(self, newsletter: str, limit: int = 100) -> tuple[FiledIssue, ...]:
        """Return the issues that were planned, the newest first, at most so many."""
        ...

    def edition(self, issue_id: int, key: str) -> tuple[int, ...] | None:
        """Return the briefs of a planned edition."""
        ...

    def resume(self, issue_id: int, now: datetime) -> None:
        """Let a paused issue's batches leave again; the fuse counts from here."""
        ...


class DeliveryStore(Protocol):
    """Keeps deliveries, batches and attempts. Each method is one transaction."""

    def plan(
        self,
        issue_id: int,
        choose: Callable[[TopicSet], Edition | None],
        *,
        batch_size: int,
        now: datetime,
        wave: Callable[[str], datetime] | None = None,
        fresh_for: timedelta | None = None,
        readers: Readers,
    ) -> bool:
        """Write down who gets which edition in which batch; False if that was done before.

        `wave` gives the moment for readers of a zone; without it all batches may leave at once.
        What has not left `fresh_for` so long after the last such moment never will.
        """
        ...

    def claim(
        self, batch_id: int, *, attempt_id: str, lease: timedelta, now: datetime
    ) -> Claim | NotYet | None:
        """Take a planned batch, asking consent again; None when it is not to be taken."""
        ...

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
        """Keep an acceptance and take the next batch, in one transaction."""
        ...

    def record(
        self, claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
    ) -> tuple[int, ...]:
        """Keep the answer to an attempt; return the batches that are to be tried again."""
        ...

    def expire_leases(self, now: datetime) -> int:
        """Turn batches whose worker never answered into unknown ones; return how many."""
        ...

    def waiting(self, issue_id: int | None = None) -> tuple[tuple[int, datetime | None], ...]:
        """Return planned batches of sending issues, each with the moment it waits for."""
        ...

    def progress(self, issue_id: int) -> tuple[int, int]:
        """Return recipients answered for, and all of them; cheap enough to ask often."""
        ...

    def account(self, issue_id: int) -> Account:
        """Return all sums of an issue."""
        ...

    def trace(self, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
        """Return what happened to a subscriber's letter; None if the issue never knew of them."""
        ...


class EventStore(Protocol):
    """Keeps what SendGrid reported."""

    def keep(self, events: Sequence[DeliveryEvent], now: datetime) -> KeptEvents:
        """Keep new events, move deliveries up their ladder, settle proven batches."""
        ...

    def owners(self, delivery_ids: Sequence[int]) -> dict[int, Owner]:
        """Return whose deliveries these are; unknown ids are left out."""
        ...

    def subscriptions_of(self, delivery_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the subscriptions that these letters went to; unknown ids are left out."""
        ...

    def count_soft_bounces(self, bounces: Mapping[int, datetime]) -> dict[int, datetime]:
        """Keep soft bounces by delivery; return the latest one of each reader now worn out."""
        ...

    def forgive_soft_bounces(self, subscriber_id: int) -> None:
        """Begin counting anew for a reader whose suppression was lifted."""
        ...


class Renderer(Protocol):
    """Sets type."""

    def set(self, newsletter: Newsletter, issue: Issue) -> Galley:
        """Return the issue's galley: one MJML compile, one inlining."""
        ...


class Mailer(Protocol):
    """Asks SendGrid, once per call."""

    def send(self, envelope: Envelope, letter: Letter, claim: Claim) -> Outcome:
        """Post one batch and say which of the three answers came."""
        ...

    def obstacle(self) -> str | None:
        """Return why SendGrid would take nothing from us now, such as a wrong key."""
        ...


class BatchQueue(Protocol):
    """Hands batches to workers, here or on other machines."""

    def enqueue(self, batch_ids: Iterable[int], *, at: datetime | None = None) -> None:
        """Ask some worker to send each batch; asking twice is asking once."""
        ...

    def work(self, *, until_empty: bool) -> None:
        """Work on batches: until `stop`, or until none is waiting."""
        ...

    def stop(self) -> None:
        """Let the batches in hand be recorded, and take no others."""
        ...


class Decisions(Protocol):
    """Keeps who decided what."""

    def note(self, actor: str, subject: str, verb: str, detail: dict[str, Any]) -> None:
        """Append a decision."""
        ...

    def about(self, subject: str) -> tuple[Decision, ...]:
        """Return what was decided about a subject, the oldest first."""
        ...


Notify = Callable[[Notice], None]  #: tells operators; may raise, and is then asked again


class WatchBook(Protocol):
    """Keeps what the clock has seen, and what operators are told of it."""

    def watch(self, newsletter: str, now: datetime) -> Watch:
        """Return what the clock has seen of a newsletter; the first time, it begins now."""
        ...

    def watched(self, newsletter: str, until: datetime) -> None:
        """Write down that all that was due until then is done."""
        ...

    def standings(self, newsletter: str, since: date) -> dict[date, Standing]:
        """Return how the issues since a date stand."""
        ...

    def miss(self, notice: Notice, now: datetime) -> None:
        """Name the day as missed, and free its briefs, unless its issue is on its way."""
        ...

    def keep(self, notice: Notice, now: datetime) -> None:
        """Keep what is to be told; what was said word for word is not said again."""
        ...

    def untold(self) -> tuple[tuple[int, Notice], ...]:
        """Return, by number, what operators were not told yet, the oldest first."""
        ...

    def heard(self, notice: Notice) -> frozenset[str]:
        """Return the channels that have taken a notice."""
        ...

    def hear(self, notice: Notice, channel: str) -> None:
        """Write down that a channel took a notice."""
        ...

    def told(self, number: int, now: datetime) -> None:
        """Write down that operators were told."""
        ...


class Leadership(Protocol):
    """Says which of several processes keeps the clock."""

    def held(self) -> bool:
        """Tell whether this process does, now; it becomes so when no other one is."""
        ...


class SourceReader(Protocol):
    """Asks a polled source."""

    def read(
        self, newsletter: Newsletter, source: PolledSource, validators: Validators, since: datetime
    ) -> Answer:
        """Return what it says now of all that changed since; nothing is raised for its faults."""
        ...


class SourceStore(Protocol):
    """Keeps how each polled source stands."""

    def find(self, newsletter: str, source: str) -> SourceRecord:
        """Return how a source stands; a record that says nothing if it was never polled."""
        ...

    def take(
        self, newsletter: str, source: str, *, now: datetime, lease: timedelta
    ) -> SourceRecord | None:
        """Take a source to poll it; None while somebody else has it."""
        ...

    def record(self, newsletter: str, source: str, record: SourceRecord) -> None:
        """Keep how a source stands now, and let go of it."""
        ...


class BrakeStore(Protocol):
    """Stops issues on their way, and counts what has gone wrong with them."""

    def pause(self, issue_id: int, reason: str, now: datetime) -> bool:
        """Let no further batch leave; False if the issue was not on its way."""
        ...

    def cancel(self, issue_id: int, reason: str) -> bool:
        """Leave out whatever has not left; False if the issue was not on its way."""
        ...

    def leave_out(self, now: datetime) -> int:
        """Cancel what is stale, and leave out what cancelled issues still hold."""
        ...

    def trouble(self, issue_id: int) -> Trouble:
        """Count what has gone wrong with an issue so far."""
        ...

    def sending(self) -> tuple[int, ...]:
        """Return the issues on their way."""
        ...


class UnknownStore(Protocol):
    """Keeps batches whose answer was lost."""

    def unknown(self) -> tuple[UnknownBatch, ...]:
        """Return all of them, the oldest first, with what has been heard since."""
        ...

    def settle(
        self, batch_id: int, ruling: Ruling, reason: str, attempts: int | None = None
    ) -> bool:
        """Settle an unknown batch; False if it is not, or if it was asked for again since.

        `attempts` are those that the ruling was made on; a person's ruling holds for all.
        """
        ...

    def probe(self, batch_id: int) -> Probe:
        """Return what Email Logs are asked about a batch."""
        ...

    def witness(self, batch: UnknownBatch) -> Probe | None:
        """Return the same of another batch, surely accepted, that was asked no sooner."""
        ...

    def prove(self, attempt_id: str, now: datetime) -> bool:
        """Keep that Email Logs show an attempt; False if its batch was settled before."""
        ...


class EmailLogs(Protocol):
    """SendGrid's own record of what it took."""

    def seek(self, probe: Probe) -> Sighting:
        """Say whether they show a batch; nothing is raised."""
        ...

    def obstacle(self) -> str | None:
        """Return why they cannot be read, such as a key that may not; None if they can."""
        ...
