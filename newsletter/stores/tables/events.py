"""The rows of what SendGrid posts, and of what is counted of it.

See docs/decisions/deliveries-without-foreign-keys.md.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, Uuid
from sqlmodel import Field

from newsletter.stores.codec import json_column
from newsletter.stores.partitions import BY_ISSUE
from subscribers.db import columns
from subscribers.db.columns import Row


class DeliveryEventRow(Row, table=True):
    """An event that SendGrid posted, stored as it came; each event once."""

    __table_args__ = (
        Index(  # summed up as it grows: vacuum comes only after a fifth of a partition
            "delivery_event_received",
            "received_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        BY_ISSUE,
    )

    #: 0, and place 0, unless it is about our delivery.
    issue_id: int = columns.part_of_key(kind=Integer)
    place: int = columns.part_of_key(kind=Integer)
    event_key: UUID = Field(sa_column=Column(Uuid, primary_key=True))  #: of SendGrid's id
    attempt_id: str | None = columns.remark()
    kind: str = columns.word()
    at: datetime = columns.moment()
    received_at: datetime = columns.moment()
    raw: dict[str, Any] = json_column(dict[str, Any])
    origin: str = columns.word()  #: unless it is "own", its delivery and attempt are left out
    url: str | None = columns.remark()  #: of the link that was followed


class IssueResultRow(Row, table=True):
    """A counter of results: an issue's deliveries of which events said a word."""

    issue_id: int = columns.part_of_key()
    word: str = columns.text_key()
    count: int = columns.count()
    at: datetime = columns.moment()  #: the latest event that moved it


class DeliveryStateCountRow(Row, table=True):
    """A counter: an issue's deliveries by the highest state that an event has shown.

    Those of which no event has come have none; they are the rest of its deliveries.
    """

    issue_id: int = columns.part_of_key()
    state: int = columns.part_of_key(kind=SmallInteger)
    count: int = columns.count()


class StoryResultRow(Row, table=True):
    """A counter of results: those who followed a link of a story in an issue."""

    issue_id: int = columns.part_of_key()
    brief_id: int = columns.part_of_key()
    people: int = columns.count()
    machines: int = columns.count()  #: alone


class StoryClickRow(Row, table=True):
    """A delivery's link to a story was followed: each story counts once for a delivery."""

    __table_args__ = (BY_ISSUE,)

    issue_id: int = columns.part_of_key(kind=Integer)
    place: int = columns.part_of_key(kind=Integer)
    brief_id: int = columns.part_of_key()
    hands: int = Field(sa_column=Column(SmallInteger, nullable=False))  #: a person's, a machine's


class SoftBounceRow(Row, table=True):
    """A delivery that was bounced for now; too many of them suppress the address."""

    issue_id: int = columns.part_of_key(kind=Integer)
    place: int = columns.part_of_key(kind=Integer)
    subscriber_id: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    at: datetime = columns.moment()
    forgiven: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default="false")
    )


class WebhookPostRow(Row, table=True):
    """A post to the webhook: one that brought our events, or one that failed; not every one."""

    id: int = columns.identity()
    at: datetime = columns.moment(index=True)
    failed: bool = Field(sa_column=Column(Boolean, nullable=False))


class WebhookReceiverRow(Row, table=True):
    """A process that could receive events without a break, from when until when."""

    id: str = columns.text_key()
    since: datetime = columns.moment()
    seen: datetime = columns.moment()
