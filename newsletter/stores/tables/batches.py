"""The rows of what leaves: editions, batches, their requests, and each letter.

See docs/decisions/deliveries-without-foreign-keys.md.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from newsletter.stores.partitions import BY_ISSUE
from subscribers.db import columns
from subscribers.db.columns import Row


class EditionRow(Row, table=True):
    """The briefs one or more topic sets choose from an issue."""

    __table_args__ = (UniqueConstraint("issue_id", "key"),)

    id: int = columns.identity()
    issue_id: int = columns.refers("issue.id")
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
    issue_id: int = columns.refers("issue.id")
    edition_id: int = columns.refers("edition.id")
    ordinal: int  #: counted within its edition, so that a second plan names the same batches
    size: int
    state: str = columns.word("planned")
    attempts: int = columns.count()
    not_before: datetime | None = columns.moment(optional=True)
    lease_until: datetime | None = columns.moment(optional=True)
    reason: str | None = columns.remark()
    doubled: int = columns.count()  #: its deliveries that more than one accepted request held
    #: Counters of its deliveries, so that a page that is asked every two seconds reads no delivery.
    skipped_count: int = columns.count()
    refused_count: int = columns.count()  #: by name, and not skipped
    #: Its deliveries: those of its issue in these places, and in those between.
    first_place: int
    last_place: int


class AttemptRow(Row, table=True):
    """One request for one batch, recorded before it is made."""

    id: str = columns.text_key()
    batch_id: int = columns.refers("batch.id", index=True)
    number: int
    recipients: int
    started_at: datetime = columns.moment(index=True)
    finished_at: datetime | None = columns.moment(optional=True)
    outcome: str | None = columns.remark()
    reason: str | None = columns.remark()
    message_id: str | None = columns.remark()
    #: The order in which requests were recorded, whatever the clock says.
    serial: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))


class SplitFromRow(Row, table=True):
    """An attempt made before a batch was split off; it covered this batch's recipients, too."""

    batch_id: int = columns.part_of_key(ForeignKey("batch.id"))
    attempt_id: str = columns.text_key(ForeignKey("attempt.id"), index=True)


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
        BY_ISSUE,
    )

    issue_id: int = columns.part_of_key(kind=Integer)
    place: int = columns.part_of_key(
        kind=Integer
    )  #: in its issue, counted from 1 in the order of its batches
    subscriber_id: int = columns.number()
    subscription_id: int = columns.number()
    skipped: str | None = columns.remark()  #: why it was left out between planning and sending
    refused: str | None = columns.remark()  #: SendGrid named this recipient in a refusal
    state: int = columns.count(SmallInteger)
    reported: int = columns.count(SmallInteger)  #: what events said of it: a bit for each kind
    #: The last request (its `serial`) that held it, once it is skipped or refused; 0: none did.
    left_after: int | None = Field(default=None, sa_column=Column(BigInteger))


class ExclusionRow(Row, table=True):
    """Some of those who get no delivery of an issue for one reason, in the order of their ids."""

    issue_id: int = columns.part_of_key()
    reason: str = columns.text_key()
    first: int = columns.part_of_key()  #: the next row begins after the last of these subscribers
    #: How far each is from the first, which is one of them.
    offsets: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


class SendWindowRow(Row, table=True):
    """The limits that all workers share: one row, whatever the number of machines."""

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    closed_until: datetime | None = columns.moment(optional=True)  #: SendGrid asked us to wait
    free_at: datetime | None = columns.moment(optional=True)  #: when the next batch may go
    day: date | None = None  #: of the count beside it, in UTC
    day_count: int = columns.count()  #: recipients written to on that day
