"""The newsletter house's rows. They never leave `newsletter.adapters`. Long, for it is a list."""

import re
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel


def _id() -> Any:
    return Field(sa_column=Column(BigInteger, Identity(), primary_key=True))


def _moment(*, optional: bool = False) -> Any:
    return Field(
        default=None if optional else ...,
        sa_column=Column(DateTime(timezone=True), nullable=optional),
    )


def _refers(target: str, *, index: bool = False) -> Any:
    return Field(sa_column=Column(BigInteger, ForeignKey(target), nullable=False, index=index))


def _json() -> Any:
    return Field(sa_column=Column(JSONB, nullable=False))


def _word(default: str | None = None) -> Any:
    return Field(sa_column=Column(Text, nullable=False, server_default=default))


def _remark() -> Any:
    return Field(default=None, sa_column=Column(Text))


def _count() -> Any:
    return Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))


class Row(SQLModel):
    """A table named as its class is, without the suffix, in the singular."""

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Return `brief_revision` for `BriefRevisionRow`."""
        return re.sub(r"(?<!^)([A-Z])", r"_\1", cls.__name__.removesuffix("Row")).lower()


class BriefRow(Row, table=True):
    """The current revision of a brief, with its verdict."""

    id: int = _id()
    key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    digest: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    revision: int = _count()
    pillar: str = Field(sa_column=Column(Text, nullable=False, index=True))
    title: str = _word()
    content: dict[str, Any] = _json()
    ruling: str = _word()
    findings: list[dict[str, Any]] = _json()
    topics: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    waived: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    held_by: str | None = _remark()
    received_at: datetime = _moment()
    revised_at: datetime = _moment()


class BriefRevisionRow(Row, table=True):
    """What a brief said before, and now: nothing received is lost."""

    brief_id: int = Field(sa_column=Column(BigInteger, ForeignKey("brief.id"), primary_key=True))
    revision: int = Field(sa_column=Column(Integer, primary_key=True))
    digest: str = _word()
    content: dict[str, Any] = _json()
    received_at: datetime = _moment()


class DecisionRow(Row, table=True):
    """What a person or the clock decided, about what, when: append-only."""

    id: int = _id()
    at: datetime = _moment()
    actor: str = _word()
    subject: str = Field(sa_column=Column(Text, nullable=False, index=True))
    verb: str = _word()
    detail: dict[str, Any] = _json()


class IssueRow(Row, table=True):
    """One newsletter's issue for one date: unique by constraint, not by memory."""

    __table_args__ = (
        UniqueConstraint("newsletter", "date"),
        UniqueConstraint("newsletter", "number"),
    )

    id: int = _id()
    newsletter: str = _word()
    date: date
    number: int | None = None  #: an empty issue has none
    state: str = _word()
    reason: str | None = _remark()
    galley: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    content_hash: str | None = _remark()
    approved_hash: str | None = _remark()
    approved_by: str | None = _remark()
    approved_at: datetime | None = _moment(optional=True)
    assembled_at: datetime = _moment()
    planned_at: datetime | None = _moment(optional=True)
    resumed_at: datetime | None = _moment(optional=True)  #: the fuse counts from here
    send_by: datetime | None = _moment(optional=True)  #: what has not left by then is stale
    audience: int = _count()
    list: str = _word("")  #: the newsletter whose subscribers it goes to
    frequency: str = _word("daily")  #: of those, who chose this
    segment: str | None = _remark()  #: of those, who were in this segment when it was planned


class IssueBriefRow(Row, table=True):
    """A brief's place in an issue; a newsletter prints a brief once, ever."""

    __table_args__ = (UniqueConstraint("newsletter", "brief_id"),)

    issue_id: int = Field(sa_column=Column(BigInteger, ForeignKey("issue.id"), primary_key=True))
    position: int = Field(sa_column=Column(Integer, primary_key=True))
    newsletter: str = _word()
    brief_id: int = _refers("brief.id")
    revision: int
    content: dict[str, Any] = _json()
    topics: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    lead: bool


class EditionRow(Row, table=True):
    """The briefs one or more topic sets choose from an issue."""

    __table_args__ = (UniqueConstraint("issue_id", "key"),)

    id: int = _id()
    issue_id: int = _refers("issue.id")
    key: str = _word()
    brief_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))


class BatchRow(Row, table=True):
    """Up to a thousand deliveries of one edition: one request, and how it stands."""

    __table_args__ = (
        UniqueConstraint("edition_id", "ordinal"),
        Index("batch_open", "issue_id", postgresql_where=text("state IN ('planned', 'claimed')")),
    )

    id: int = _id()
    issue_id: int = _refers("issue.id", index=True)
    edition_id: int = _refers("edition.id")
    ordinal: int  #: counted within its edition, so that a second plan names the same batches
    size: int
    state: str = _word("planned")
    attempts: int = _count()
    not_before: datetime | None = _moment(optional=True)
    lease_until: datetime | None = _moment(optional=True)
    reason: str | None = _remark()


class AttemptRow(Row, table=True):
    """One request for one batch, written down before it is made."""

    id: str = Field(sa_column=Column(Text, primary_key=True))
    batch_id: int = _refers("batch.id", index=True)
    number: int
    recipients: int
    started_at: datetime = _moment()
    finished_at: datetime | None = _moment(optional=True)
    outcome: str | None = _remark()
    reason: str | None = _remark()
    message_id: str | None = _remark()


class SplitFromRow(Row, table=True):
    """An attempt made before a batch was split off: whoever is in the batch stood in it, too."""

    batch_id: int = Field(sa_column=Column(BigInteger, ForeignKey("batch.id"), primary_key=True))
    attempt_id: str = Field(
        sa_column=Column(Text, ForeignKey("attempt.id"), primary_key=True, index=True)
    )


class DeliveryRow(Row, table=True):
    """One issue to one subscriber, once; its batch says how it stands, until an event does."""

    #: The subscriber first: the constraint's index answers "which letters did this one get?" too.
    __table_args__ = (UniqueConstraint("subscriber_id", "issue_id"),)

    id: int = _id()
    issue_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    subscriber_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    subscription_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    batch_id: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    skipped: str | None = _remark()  #: an Exclusion that came between planning and sending
    refused: str | None = _remark()  #: SendGrid named this recipient in a refusal
    state: int = Field(
        default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0")
    )


class ExclusionRow(Row, table=True):
    """A subscription that gets no delivery of an issue, and why."""

    issue_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    subscriber_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    reason: str = _word()


class DeliveryEventRow(Row, table=True):
    """Something SendGrid reported, kept as it came; each event once."""

    __table_args__ = (Index("delivery_event_received", "received_at", postgresql_using="brin"),)

    event_id: str = Field(sa_column=Column(Text, primary_key=True))
    delivery_id: int | None = Field(default=None, sa_column=Column(BigInteger, index=True))
    attempt_id: str | None = _remark()
    kind: str = _word()
    at: datetime = _moment()
    received_at: datetime = _moment()
    raw: dict[str, Any] = _json()


class SoftBounceRow(Row, table=True):
    """A letter its reader's mailbox refused this time: too many of them, and it is suppressed."""

    delivery_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    subscriber_id: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    at: datetime = _moment()
    forgiven: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default="false")
    )


class SendWindowRow(Row, table=True):
    """What every worker must obey: one row, whatever the number of machines."""

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True))
    closed_until: datetime | None = _moment(optional=True)  #: SendGrid asked all of us to wait
    free_at: datetime | None = _moment(optional=True)  #: when the pace allows the next batch
    day: date | None = None  #: of the count beside it, in UTC
    day_count: int = _count()  #: recipients written to on that day


class PolledSourceRow(Row, table=True):
    """How a polled source stands, and who is polling it."""

    newsletter: str = Field(sa_column=Column(Text, primary_key=True))
    source: str = Field(sa_column=Column(Text, primary_key=True))
    validators: dict[str, Any] = _json()
    polled_at: datetime | None = _moment(optional=True)
    answered_at: datetime | None = _moment(optional=True)
    failures: int = _count()
    failing_since: datetime | None = _moment(optional=True)
    error: str = _word("")
    tally: dict[str, Any] = _json()
    refused: list[dict[str, Any]] = _json()
    lease_until: datetime | None = _moment(optional=True)


class ScheduleCursorRow(Row, table=True):
    """What the clock has seen of one newsletter's time."""

    newsletter: str = Field(sa_column=Column(Text, primary_key=True))
    began: datetime = _moment()
    until: datetime = _moment()


class OperatorAlertRow(Row, table=True):
    """What operators are to be told of a day's issue; kept before it is told, so never lost."""

    id: int = _id()
    at: datetime = _moment()
    newsletter: str = _word()
    date: date
    kind: str = _word()
    sentence: str = _word()
    heard: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    told_at: datetime | None = _moment(optional=True)


class TransactionalEmailRow(Row, table=True):
    """A letter to one person about their own subscription, on its way.

    It holds no address: what it refers to does, until that is gone.
    """

    __table_args__ = (
        Index(
            "correspondence_waiting",
            "id",
            postgresql_where=text("state IN ('waiting', 'claimed')"),
        ),
    )

    id: int = _id()
    newsletter: str = _word()
    kind: str = _word()
    refers: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = _moment()
    state: str = _word("waiting")
    attempts: int = _count()
    not_before: datetime | None = _moment(optional=True)
    lease_until: datetime | None = _moment(optional=True)
    reason: str | None = _remark()
    message_id: str | None = _remark()
