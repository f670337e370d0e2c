"""The rows of staff: who may sign in and how, their sessions, and what they posted."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from subscribers.db import columns
from subscribers.db.columns import KEY, Row


def _staff(*, index: bool = False, key: bool = False, optional: bool = False) -> Any:
    reference = ForeignKey("staff.id")
    default = None if optional else ...
    column = Column(
        BigInteger,
        reference,
        nullable=optional,
        index=index,
        primary_key=key,
        autoincrement=False,
    )
    return Field(default=default, sa_column=column)


def _hash(*, key: bool = False, unique: bool = False) -> Any:
    column = Column(LargeBinary, nullable=False, primary_key=key, unique=unique)
    return Field(sa_column=column)


class StaffRow(Row, table=True):
    """A person who may sign in, or could: whoever is removed stays by name, for the log."""

    id: int = columns.identity()
    email: str = columns.word()
    email_key: str = Field(sa_column=Column(KEY, nullable=False, unique=True))
    name: str = columns.word("")
    invited_at: datetime = columns.moment()
    accepted_at: datetime | None = columns.moment(optional=True)
    removed_at: datetime | None = columns.moment(optional=True)
    epoch: int = columns.count()
    login_name: str | None = Field(default=None, sa_column=Column(Text, unique=True))


class StaffGrantRow(Row, table=True):
    """A role of a person; an empty newsletter stands for all of them."""

    staff_id: int = _staff(key=True)
    permission: str = columns.text_key()
    newsletter: str = columns.text_key()


class StaffTokenRow(Row, table=True):
    """A secret that is good for one use: an invitation, a link, half a sign-in, a challenge."""

    hash: bytes = _hash(key=True)
    purpose: str = columns.word()
    staff_id: int | None = _staff(index=True, optional=True)
    detail: dict[str, Any] = columns.json_object()
    expires_at: datetime = columns.moment()


class StaffSecretRow(Row, table=True):
    """A person's password and second factor."""

    staff_id: int = _staff(key=True)
    password_hash: str | None = columns.remark()
    totp_secret: str | None = columns.remark()
    totp_step: int | None = columns.number(optional=True)  #: last accepted; none is taken twice
    totp_offered: str | None = columns.remark()  #: not confirmed yet


class RecoveryCodeRow(Row, table=True):
    """A recovery code that was not used yet."""

    staff_id: int = _staff(key=True)
    hash: bytes = _hash(key=True)


class PasskeyRow(Row, table=True):
    """A passkey that a person registered."""

    id: int = columns.identity()
    staff_id: int = _staff(index=True)
    credential_id: bytes = _hash(unique=True)
    public_key: bytes = _hash()
    sign_count: int = columns.number()
    name: str = columns.word()
    added_at: datetime = columns.moment()
    used_at: datetime | None = columns.moment(optional=True)


class StaffIdentityRow(Row, table=True):
    """The account at the identity provider that signs a person in."""

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    staff_id: int = _staff(key=True)
    issuer: str = columns.word()
    subject: str = columns.word()
    linked_at: datetime = columns.moment()


class StaffSessionRow(Row, table=True):
    """A session at the console; a row that is deleted has ended."""

    id: int = columns.identity()
    token_hash: bytes = _hash(unique=True)
    staff_id: int = _staff(index=True)
    signed_in_at: datetime = columns.moment()
    seen_at: datetime = columns.moment()
    fresh_at: datetime = columns.moment()
    address: str = columns.word()
    device: str = columns.word()


class SignInAttemptRow(Row, table=True):
    """An attempt to sign in that failed, or is being made."""

    __table_args__ = (
        Index("sign_in_attempt_account", "account", "at"),
        Index("sign_in_attempt_network", "network", "at"),
    )

    id: int = columns.identity()
    account: bytes = _hash()  #: a digest: people type a password where the address goes
    network: str = columns.word()
    at: datetime = columns.moment()


class FormKeyRow(Row, table=True):
    """A form that was posted, and the location that the first post was answered with."""

    __table_args__ = (UniqueConstraint("session_id", "key"),)

    id: int = columns.identity()
    session_id: int = columns.number()
    key: str = columns.word()
    location: str = columns.word()
    at: datetime = columns.moment(index=True)
