"""Rows beside the subscriptions: imports, sign-ups, changes, segments, erasures.

See docs/decisions/consent-is-append-only.md.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from subscribers.db import columns
from subscribers.db.columns import Row


class ListImportRow(Row, table=True):
    """A list that was imported, and the operator's statement of where its consent came from."""

    id: int = columns.identity()
    at: datetime = columns.moment()
    file: str = columns.word()
    newsletter: str = columns.word()
    consent_source: str = columns.word()
    counts: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    format: str = columns.word("")  #: whose export it was
    actor: str = columns.word("")
    undone_at: datetime | None = columns.moment(optional=True)


class ImportChangeRow(Row, table=True):
    """What a subscription was before an import changed it, so that it can be undone."""

    import_id: int = columns.part_of_key()
    subscription_id: int = columns.part_of_key()
    before: dict[str, Any] = columns.json_object()


class SignupRow(Row, table=True):
    """A sign-up that is not confirmed yet; the latest one of an address stands."""

    __table_args__ = (UniqueConstraint("newsletter", "email_key"),)

    id: int = columns.identity()
    newsletter: str = columns.word()
    email: str = columns.word()
    email_key: str = Field(sa_column=Column(columns.KEY, nullable=False))
    name: str = columns.word("")
    topics: list[str] = columns.words()
    zone: str = columns.word()
    frequency: str = columns.word("daily")
    link_key: bytes = columns.link_key()
    asked_at: datetime = columns.moment(index=True)
    expires_at: datetime = columns.moment()
    network: str = columns.word("")  #: where from, as far as a rate limit needs it
    mails: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    mailed_at: datetime | None = columns.moment(optional=True)
    evidence: dict[str, Any] = columns.json_object()


class SignupRequestRow(Row, table=True):
    """What limits count: an email to an address, a sign-up from a network; deleted after a day."""

    __table_args__ = (Index("signup_request_counted", "counted_as", "at"),)

    id: int = columns.identity()
    counted_as: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  #: a keyed hash
    at: datetime = columns.moment()


class ConfirmationRow(Row, table=True):
    """What a confirmed sign-up became: its link works again however often it is used."""

    signup_id: int = columns.part_of_key()
    subscription_id: int = columns.number()
    link_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = columns.moment()


class AddressChangeRow(Row, table=True):
    """A subscriber's new address, until it is confirmed there; another one is another row."""

    __table_args__ = (
        Index(
            "address_change_current",
            "subscriber_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    id: int = columns.identity()
    subscriber_id: int = columns.number()
    email: str = columns.word()
    email_key: str = Field(sa_column=Column(columns.KEY, nullable=False))
    link_key: bytes = columns.link_key()
    asked_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    replaced_at: datetime | None = columns.moment(optional=True)  #: they asked for another one


class ConsentTextRow(Row, table=True):
    """The words people agreed to; evidence names them by their SHA-256."""

    hash: str = columns.text_key()
    text: str = columns.word()
    first_used_at: datetime = columns.moment()


class ChangeRow(Row, table=True):
    """What was changed about a subscriber besides consent, by whom: append-only."""

    id: int = columns.identity()
    subscriber_id: int = columns.number(index=True)
    newsletter: str | None = Field(default=None, sa_column=Column(Text))
    at: datetime = columns.moment()
    actor: str = columns.word()
    what: str = columns.word()
    detail: dict[str, Any] = columns.json_object()


class SegmentRow(Row, table=True):
    """A saved filter over a newsletter's subscriptions."""

    newsletter: str = columns.text_key()
    name: str = columns.text_key()
    filter: dict[str, Any] = columns.json_object()
    created_at: datetime = columns.moment()
    created_by: str = columns.word()


class SegmentMemberRow(Row, table=True):
    """Who was in a segment when an issue was planned for it."""

    send: str = columns.text_key()
    subscription_id: int = columns.part_of_key()


class ErasureRow(Row, table=True):
    """All that is left of somebody erased: a keyed hash, so that no list adds them again."""

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    at: datetime = columns.moment()


class InstallationKeyRow(Row, table=True):
    """A random key that this installation made for itself, 32 bytes."""

    name: str = columns.text_key()
    key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
