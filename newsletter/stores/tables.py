"""The rows of the newsletter's tables. They never leave `newsletter.stores`.

The module is long because it is a list. See docs/decisions/deliveries-without-foreign-keys.md.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from newsletter.core.brief import Brief
from newsletter.core.draft_changes import DraftContents
from newsletter.core.frozen_issue import IssueBasis
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.results import IssueResults
from newsletter.core.source_record import RefusedItem, Tally, Validators
from newsletter.core.verification import Finding
from newsletter.stores.codec import Json
from subscribers.db import columns
from subscribers.db.columns import Row


def _text(**options: Any) -> Any:
    return Field(sa_column=Column(Text, nullable=False, **options))


def _remark() -> Any:
    return Field(default=None, sa_column=Column(Text))


def _text_key(*references: ForeignKey, index: bool = False) -> Any:
    return Field(sa_column=Column(Text, *references, primary_key=True, index=index))


def _number_key(kind: Any = BigInteger, *references: ForeignKey) -> Any:
    return Field(sa_column=Column(kind, *references, primary_key=True, autoincrement=False))


def _refers(target: str, *, index: bool = False) -> Any:
    return Field(sa_column=Column(BigInteger, ForeignKey(target), nullable=False, index=index))


def _json(kind: Any) -> Any:
    return Field(sa_column=Column(Json(kind), nullable=False))


def _count(kind: Any = Integer) -> Any:
    return Field(default=0, sa_column=Column(kind, nullable=False, server_default=text("0")))


_BY_ISSUE = {"postgresql_partition_by": "RANGE (issue_id)"}  #: see `newsletter.stores.partitions`
_UNSENT = text("state IN ('waiting', 'claimed')")


class BriefRow(Row, table=True):
    """The current revision of a brief, with its verdict."""

    id: int = columns.identity()
    key: str = _text(unique=True)
    digest: str = _text(unique=True)
    revision: int = _count()
    pillar: str = _text(index=True)
    title: str = columns.word()
    content: Brief = _json(Brief)
    ruling: str = columns.word()
    findings: tuple[Finding, ...] = _json(tuple[Finding, ...])
    topics: list[str] = columns.words()
    waived: list[str] = columns.words()
    held_by: str | None = _remark()
    received_at: datetime = columns.moment()
    revised_at: datetime = columns.moment()
    changed_by: str | None = _remark()  #: the person whose change is the newest; None: a source's
    changed_at: datetime | None = columns.moment(optional=True)


class BriefRevisionRow(Row, table=True):
    """One revision of a brief, as it was received."""

    brief_id: int = _number_key(BigInteger, ForeignKey("brief.id"))
    revision: int = _number_key(Integer)
    digest: str = columns.word()
    content: Brief = _json(Brief)
    received_at: datetime = columns.moment()
    by: str | None = _remark()  #: a person; None: it came from a source
    accepted_at: datetime | None = columns.moment(optional=True)  #: first; None: it never was


class DecisionRow(Row, table=True):
    """What a person or the scheduler decided, about what, when, and from where: append-only."""

    __table_args__ = (
        Index("decision_actor", "actor", "id"),
        Index("decision_newsletter", "newsletter", "id"),
    )

    id: int = columns.identity()
    at: datetime = columns.moment()
    actor: str = columns.word()
    subject: str = _text(index=True)
    verb: str = columns.word()
    detail: dict[str, Any] = _json(dict[str, Any])
    newsletter: str | None = _remark()
    staff_id: int | None = columns.number(optional=True)  #: of an actor at the console
    session_id: int | None = columns.number(optional=True)
    network: str | None = _remark()  #: the address it was done from
    before: Any = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    after: Any = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))


class IssueRow(Row, table=True):
    """One newsletter's issue for one date."""

    __table_args__ = (
        UniqueConstraint("newsletter", "date"),
        UniqueConstraint("newsletter", "number"),
    )

    id: int = columns.identity()
    newsletter: str = columns.word()
    date: date
    number: int | None = None  #: an empty issue has none
    state: str = columns.word()
    reason: str | None = _remark()
    galley: Galley | None = Field(default=None, sa_column=Column(Json(Galley)))
    basis: IssueBasis = Field(
        default_factory=IssueBasis,
        sa_column=Column(Json(IssueBasis), nullable=False, server_default=text("'{}'")),
    )
    content_hash: str | None = _remark()
    approved_hash: str | None = _remark()
    approved_by: str | None = _remark()
    approved_at: datetime | None = columns.moment(optional=True)
    assembled_at: datetime = columns.moment()
    planned_at: datetime | None = columns.moment(optional=True)
    planned_by: str | None = _remark()  #: who had it sent
    paused_by: str | None = _remark()  #: a person, or what paused it by itself
    tripped: str | None = _remark()  #: which share tripped the circuit breaker
    held_until: datetime | None = columns.moment(optional=True)  #: no batch is claimed before
    unreached_since: datetime | None = columns.moment(optional=True)  #: operators were alerted
    resumed_at: datetime | None = columns.moment(optional=True)  #: failures count from here
    send_by: datetime | None = columns.moment(optional=True)  #: a batch not sent by then is stale
    audience: int = _count()
    excluded: int = _count()  #: of the audience; its exclusions, counted when it was planned
    list: str = columns.word("")  #: the newsletter whose subscribers it goes to
    frequency: str = columns.word("daily")  #: of those, who chose this
    segment: str | None = _remark()  #: of those, who were in this segment when it was planned
    edits: IssueEdits = Field(
        default_factory=IssueEdits,
        sa_column=Column(Json(IssueEdits), nullable=False, server_default=text("'{}'")),
    )
    edits_revision: int = _count()  #: counts the edits, so that an assembly overwrites none
    changed_by: str | None = _remark()  #: the last person who edited it, or took a brief out of it
    changed_at: datetime | None = columns.moment(optional=True)
    leaves_at: datetime | None = columns.moment(optional=True)  #: a person has it leave then
    leaves_by: str | None = _remark()  #: that person
    withdrawn_by: str | None = _remark()  #: a person took the approval back: no policy renews it


class IssueBriefRow(Row, table=True):
    """A brief's place in an issue; a newsletter prints a brief only once."""

    __table_args__ = (UniqueConstraint("newsletter", "brief_id"),)

    issue_id: int = _number_key(BigInteger, ForeignKey("issue.id"))
    position: int = _number_key(Integer)
    newsletter: str = columns.word()
    brief_id: int = _refers("brief.id")
    revision: int
    content: Brief = _json(Brief)
    topics: list[str] = columns.words()
    lead: bool


class DraftRow(Row, table=True):
    """What a draft of an issue consisted of, by its hash: to say what changed since it was seen."""

    issue_id: int = _number_key(BigInteger, ForeignKey("issue.id", ondelete="CASCADE"))
    content_hash: str = _text_key()
    contents: DraftContents = _json(DraftContents)
    at: datetime = columns.moment()


class ApprovedIssueRow(Row, table=True):
    """What an approval was about, as it was looked at: never changed."""

    id: int = columns.identity()
    issue_id: int = _refers("issue.id", index=True)
    content_hash: str = columns.word()
    by: str = columns.word()
    at: datetime = columns.moment()
    issue: Issue = _json(Issue)
    galley: Galley = _json(Galley)


class ApprovalRequestRow(Row, table=True):
    """Whose turn it is with a draft: it was asked for approval, or sent back."""

    issue_id: int = _number_key(BigInteger, ForeignKey("issue.id"))
    state: str = columns.word()
    by: str = columns.word()
    at: datetime = columns.moment()
    note: str = columns.word()
    content_hash: str = columns.word()


class EditionRow(Row, table=True):
    """The briefs one or more topic sets choose from an issue."""

    __table_args__ = (UniqueConstraint("issue_id", "key"),)

    id: int = columns.identity()
    issue_id: int = _refers("issue.id")
    key: str = columns.word()
    brief_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))


class BatchRow(Row, table=True):
    """Up to a thousand deliveries of one edition, which one request sends, and their state."""

    __table_args__ = (
        UniqueConstraint("edition_id", "ordinal"),
        UniqueConstraint("issue_id", "first_place"),
        Index(
            "batch_open",
            "issue_id",
            postgresql_where=text("state IN ('planned', 'claimed', 'unknown')"),
        ),
        Index("batch_doubled", "issue_id", postgresql_where=text("doubled > 0")),
    )

    id: int = columns.identity()
    issue_id: int = _refers("issue.id")
    edition_id: int = _refers("edition.id")
    ordinal: int  #: counted within its edition, so that a second plan names the same batches
    size: int
    state: str = columns.word("planned")
    attempts: int = _count()
    not_before: datetime | None = columns.moment(optional=True)
    lease_until: datetime | None = columns.moment(optional=True)
    reason: str | None = _remark()
    doubled: int = _count()  #: its deliveries that more than one accepted request held
    #: Counters of its deliveries, so that a page that is asked every two seconds reads no delivery.
    skipped_count: int = _count()
    refused_count: int = _count()  #: by name, and not skipped
    #: Its deliveries: those of its issue in these places, and in those between.
    first_place: int
    last_place: int


class AttemptRow(Row, table=True):
    """One request for one batch, recorded before it is made."""

    id: str = _text_key()
    batch_id: int = _refers("batch.id", index=True)
    number: int
    recipients: int
    started_at: datetime = columns.moment(index=True)
    finished_at: datetime | None = columns.moment(optional=True)
    outcome: str | None = _remark()
    reason: str | None = _remark()
    message_id: str | None = _remark()
    #: The order in which requests were recorded, whatever the clock says.
    serial: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))


class SplitFromRow(Row, table=True):
    """An attempt made before a batch was split off; it covered this batch's recipients, too."""

    batch_id: int = _number_key(BigInteger, ForeignKey("batch.id"))
    attempt_id: str = _text_key(ForeignKey("attempt.id"), index=True)


class DeliveryRow(Row, table=True):
    """One issue to one subscriber; its batch gives its state until an event does.

    Every key begins with the issue: see docs/decisions/issue-first-keys.md.
    """

    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        Index(
            "delivery_left_out",
            "issue_id",
            postgresql_where=text("skipped IS NOT NULL OR refused IS NOT NULL"),
        ),
        _BY_ISSUE,
    )

    issue_id: int = _number_key(Integer)
    place: int = _number_key(Integer)  #: in its issue, counted from 1 in the order of its batches
    subscriber_id: int = columns.number()
    subscription_id: int = columns.number()
    skipped: str | None = _remark()  #: why it was left out between planning and sending
    refused: str | None = _remark()  #: SendGrid named this recipient in a refusal
    state: int = _count(SmallInteger)
    reported: int = _count(SmallInteger)  #: what events said of it: a bit for each kind
    #: The last request (its `serial`) that held it, once it is skipped or refused; 0: none did.
    left_after: int | None = Field(default=None, sa_column=Column(BigInteger))


class ExclusionRow(Row, table=True):
    """Some of those who get no delivery of an issue for one reason, in the order of their ids."""

    issue_id: int = _number_key()
    reason: str = _text_key()
    first: int = _number_key()  #: the next row begins after the last of these subscribers
    #: How far each is from the first, which is one of them.
    offsets: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


class DeliveryEventRow(Row, table=True):
    """An event that SendGrid posted, stored as it came; each event once."""

    __table_args__ = (
        Index(  # summed up as it grows: vacuum comes only after a fifth of a partition
            "delivery_event_received",
            "received_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        _BY_ISSUE,
    )

    issue_id: int = _number_key(Integer)  #: 0, and place 0, unless it is about our delivery
    place: int = _number_key(Integer)
    event_key: UUID = Field(sa_column=Column(Uuid, primary_key=True))  #: of SendGrid's id
    attempt_id: str | None = _remark()
    kind: str = columns.word()
    at: datetime = columns.moment()
    received_at: datetime = columns.moment()
    raw: dict[str, Any] = _json(dict[str, Any])
    origin: str = columns.word()  #: unless it is "own", its delivery and attempt are left out
    url: str | None = _remark()  #: of the link that was followed


class IssueResultRow(Row, table=True):
    """A counter of results: an issue's deliveries of which events said a word."""

    issue_id: int = _number_key()
    word: str = _text_key()
    count: int = _count()
    at: datetime = columns.moment()  #: the latest event that moved it


class DeliveryStateCountRow(Row, table=True):
    """A counter: an issue's deliveries by the highest state that an event has shown.

    Those of which no event has come have none; they are the rest of its deliveries.
    """

    issue_id: int = _number_key()
    state: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    count: int = _count()


class StoryResultRow(Row, table=True):
    """A counter of results: those who followed a link of a story in an issue."""

    issue_id: int = _number_key()
    brief_id: int = _number_key()
    people: int = _count()
    machines: int = _count()  #: alone


class StoryClickRow(Row, table=True):
    """A delivery's link to a story was followed: each story counts once for a delivery."""

    __table_args__ = (_BY_ISSUE,)

    issue_id: int = _number_key(Integer)
    place: int = _number_key(Integer)
    brief_id: int = _number_key()
    hands: int = Field(sa_column=Column(SmallInteger, nullable=False))  #: a person's, a machine's


class IssueSummaryRow(Row, table=True):
    """What is kept of an issue for good, once its deliveries and events are let go."""

    issue_id: int = _number_key(BigInteger, ForeignKey("issue.id"))
    at: datetime = columns.moment()
    totals: IssueTotals = _json(IssueTotals)
    results: IssueResults = _json(IssueResults)


class InstallationRow(Row, table=True):
    """What this installation calls itself in its letters: one row."""

    id: str = _text_key()
    since: datetime = columns.moment()


class WebhookPostRow(Row, table=True):
    """A post to the webhook: one that brought our events, or one that failed; not every one."""

    id: int = columns.identity()
    at: datetime = columns.moment(index=True)
    failed: bool = Field(sa_column=Column(Boolean, nullable=False))


class WebhookReceiverRow(Row, table=True):
    """A process that could receive events without a break, from when until when."""

    id: str = _text_key()
    since: datetime = columns.moment()
    seen: datetime = columns.moment()


class SoftBounceRow(Row, table=True):
    """A delivery that was bounced for now; too many of them suppress the address."""

    issue_id: int = _number_key(Integer)
    place: int = _number_key(Integer)
    subscriber_id: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    at: datetime = columns.moment()
    forgiven: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default="false")
    )


class SendWindowRow(Row, table=True):
    """The limits that all workers share: one row, whatever the number of machines."""

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    closed_until: datetime | None = columns.moment(optional=True)  #: SendGrid asked us to wait
    free_at: datetime | None = columns.moment(optional=True)  #: when the next batch may go
    day: date | None = None  #: of the count beside it, in UTC
    day_count: int = _count()  #: recipients written to on that day


class PolledSourceRow(Row, table=True):
    """The last answer of a polled source, and the lease of whoever polls it now."""

    newsletter: str = _text_key()
    source: str = _text_key()
    validators: Validators = _json(Validators)
    polled_at: datetime | None = columns.moment(optional=True)
    answered_at: datetime | None = columns.moment(optional=True)
    failures: int = _count()
    failing_since: datetime | None = columns.moment(optional=True)
    error: str = columns.word("")
    tally: Tally = _json(Tally)
    refused: tuple[RefusedItem, ...] = _json(tuple[RefusedItem, ...])
    retry_at: datetime | None = columns.moment(optional=True)
    read_from: str = columns.word("")
    baseline: tuple[str, ...] = _json(tuple[str, ...])
    news_at: datetime | None = columns.moment(optional=True)
    longest_gap: timedelta = _json(timedelta)
    lease_until: datetime | None = columns.moment(optional=True)


class ScheduleCursorRow(Row, table=True):
    """How far the scheduler has come in one newsletter's timetable."""

    newsletter: str = _text_key()
    began: datetime = columns.moment()
    until: datetime = columns.moment()


class SkippedDayRow(Row, table=True):
    """A day on which a newsletter has no issue, because a person said so."""

    newsletter: str = _text_key()
    day: date = Field(sa_column=Column(Date, primary_key=True))
    by: str = columns.word()
    at: datetime = columns.moment()
    because: str = columns.word()


class OperatorAlertRow(Row, table=True):
    """An alert to operators about a day's issue, stored before it is sent so that none is lost."""

    id: int = columns.identity()
    at: datetime = columns.moment()
    newsletter: str = columns.word()
    date: date
    kind: str = columns.word()
    sentence: str = columns.word()
    notified_channels: list[str] = columns.words()
    sent_at: datetime | None = columns.moment(optional=True)
    acknowledged_by: str | None = _remark()  #: who takes care of it
    acknowledged_at: datetime | None = columns.moment(optional=True)
    closed_by: str | None = _remark()  #: a person; otherwise it is over once its cause has gone
    closed_at: datetime | None = columns.moment(optional=True)


class TransactionalEmailRow(Row, table=True):
    """A transactional email to one person. The row it refers to holds the address.

    Of one kind about one thing, one waits: whoever asks again gets it, not another one.
    """

    __table_args__ = (
        Index("transactional_email_waiting", "priority", "id", postgresql_where=_UNSENT),
        Index(
            "transactional_email_unsent", "kind", "refers", unique=True, postgresql_where=_UNSENT
        ),
        Index("transactional_email_created", "created_at"),
    )

    id: int = columns.identity()
    newsletter: str = columns.word()
    kind: str = columns.word()
    priority: int = _count(SmallInteger)
    refers: int = columns.number()
    #: A keyed hash of the address it was asked for; it is dropped where that has changed since.
    addressee: bytes = Field(
        default=b"", sa_column=Column(LargeBinary, nullable=False, server_default="")
    )
    created_at: datetime = columns.moment()
    state: str = columns.word("waiting")
    attempts: int = _count()
    not_before: datetime | None = columns.moment(optional=True)
    lease_until: datetime | None = columns.moment(optional=True)
    reason: str | None = _remark()
    message_id: str | None = _remark()


class LinkCheckRow(Row, table=True):
    """What a story's link answered last."""

    url: str = _text_key()
    state: str = columns.word()
    reason: str = columns.word("")
    final_url: str = columns.word("")
    length: int = _count(BigInteger)
    at: datetime = columns.moment()


class PreflightTickRow(Row, table=True):
    """A person saw a finding about just this content of an issue."""

    issue_id: int = _number_key()
    content_hash: str = _text_key()
    finding: str = _text_key()
    by: str = columns.word()
    at: datetime = columns.moment()


class StaffLetterRow(Row, table=True):
    """A letter that a member of staff had sent to a member of staff; part of no issue's sums."""

    __table_args__ = (
        Index("staff_letter_sent_to", "email", "at"),
        Index("staff_letter_waiting", "id", postgresql_where=text("state = 'waiting'")),
    )

    id: int = columns.identity()
    at: datetime = columns.moment()
    by: str = columns.word()
    email: str = columns.word()
    newsletter: str = columns.word()
    date: date
    kind: str = columns.word("test")
    shown_as: str = columns.word()
    edition: str = columns.word()
    content_hash: str = columns.word()
    note: str = columns.word("")
    state: str = columns.word("claimed")
    reason: str = columns.word("")
    message_id: str = columns.word("")


class SetupReportRow(Row, table=True):
    """What the last look at the whole installation found; the one row has the number 1."""

    id: int = _number_key()
    findings: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    checked_at: datetime | None = columns.moment(optional=True)
    checked_by: str = columns.word()
    begun_at: datetime | None = columns.moment(optional=True)
    begun_by: str = columns.word()
