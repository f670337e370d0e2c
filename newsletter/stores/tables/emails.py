"""The rows of single emails: to a reader who asked for one, and to staff."""

from datetime import date, datetime

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, text
from sqlmodel import Field

from subscribers.db import columns
from subscribers.db.columns import Row

_UNSENT = text("state IN ('waiting', 'claimed')")


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
    priority: int = columns.count(SmallInteger)
    refers: int = columns.number()
    #: A keyed hash of the address it was asked for; it is dropped where that has changed since.
    addressee: bytes = Field(
        default=b"", sa_column=Column(LargeBinary, nullable=False, server_default="")
    )
    created_at: datetime = columns.moment()
    state: str = columns.word("waiting")
    attempts: int = columns.count()
    not_before: datetime | None = columns.moment(optional=True)
    lease_until: datetime | None = columns.moment(optional=True)
    reason: str | None = columns.remark()
    message_id: str | None = columns.remark()


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
