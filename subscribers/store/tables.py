"""The subscribers' rows, and the view other houses read. Rows never leave this room.

There are no foreign keys: they took half the time of an import. One store alone writes these
tables, what is referred to in the same transaction as what refers, and subscribers and topic sets
are never deleted.
"""
# SQLModel types `__tablename__` as a computed attribute; a plain string is its documented use.
# pyright: reportAssignmentType=false

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from subscribers.model import SubscriptionStatus, SuppressionReason

# Keys are compared byte by byte: they are normalised before they come here.
_KEY = Text(collation="C")


def _id() -> Any:
    return Field(sa_column=Column(BigInteger, Identity(), primary_key=True))


def _moment(*, optional: bool = False) -> Any:
    return Field(
        default=None if optional else ...,
        sa_column=Column(DateTime(timezone=True), nullable=optional),
    )


def _word() -> Any:
    return Field(sa_column=Column(Text, nullable=False))


def _one_of(column: str, words: type[SubscriptionStatus | SuppressionReason]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


class SubscriberRow(SQLModel, table=True):
    """An address, as it was typed and as it is compared."""

    __tablename__ = "subscriber"

    id: int = _id()
    email: str = _word()
    email_key: str = Field(sa_column=Column(_KEY, nullable=False, unique=True))
    name: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    created_at: datetime = _moment()


class TopicSetRow(SQLModel, table=True):
    """A choice of topics, sorted; everyone who chose alike refers to one row."""

    __tablename__ = "topic_set"

    id: int = Field(sa_column=Column(Integer, Identity(), primary_key=True))
    slugs: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, unique=True))


class SubscriptionRow(SQLModel, table=True):
    """One subscriber's choice for one newsletter."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "newsletter"),
        _one_of("status", SubscriptionStatus),
    )

    id: int = _id()
    subscriber_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    newsletter: str = _word()
    topic_set_id: int = Field(sa_column=Column(Integer, nullable=False))
    zone: str = _word()
    status: str = _word()
    link_key: bytes = Field(
        sa_column=Column(
            LargeBinary, nullable=False, server_default=text("uuid_send(gen_random_uuid())")
        )
    )
    created_at: datetime = _moment()
    ended_at: datetime | None = _moment(optional=True)


class ConsentRow(SQLModel, table=True):
    """Evidence of what a subscriber agreed to, or took back: append-only."""

    __tablename__ = "consent"

    id: int = _id()
    subscriber_id: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    newsletter: str = _word()
    at: datetime = _moment()
    act: str = _word()
    source: str = _word()
    detail: dict[str, Any] = Field(
        sa_column=Column(JSONB, nullable=False, server_default=text("'{}'"))
    )


class SuppressionRow(SQLModel, table=True):
    """An address that must not be written to, whether or not it is a subscriber's."""

    __tablename__ = "suppression"
    __table_args__ = (_one_of("reason", SuppressionReason),)

    email_key: str = Field(sa_column=Column(_KEY, primary_key=True))
    reason: str = _word()
    source: str = _word()
    since: datetime = _moment()
    note: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))


class SuppressionLiftRow(SQLModel, table=True):
    """When a reason was last lifted from an address: what was said before then is answered."""

    __tablename__ = "suppression_lift"

    email_key: str = Field(sa_column=Column(_KEY, primary_key=True))
    reason: str = Field(sa_column=Column(Text, primary_key=True))
    at: datetime = _moment()


class ListImportRow(SQLModel, table=True):
    """A list that was imported, and the operator's statement of where its consent came from."""

    __tablename__ = "list_import"

    id: int = _id()
    at: datetime = _moment()
    file: str = _word()
    newsletter: str = _word()
    consent_source: str = _word()
    counts: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))


# One row a subscription; `exclusion` is null when it may be written to. The order of the cases is
# that of `subscribers.audience.exclusion`, which a property test holds this view to. A status
# nobody foresaw excludes.
AUDIENCE_VIEW = """
CREATE VIEW audience AS
SELECT subscription.id AS subscription_id,
       subscription.subscriber_id,
       subscription.newsletter,
       subscriber.email,
       subscription.topic_set_id,
       subscription.link_key,
       subscription.zone,
       CASE WHEN suppression.email_key IS NOT NULL THEN 'suppressed'
            WHEN subscription.status = 'active' THEN NULL
            WHEN subscription.status = 'ended' THEN 'ended'
            ELSE 'pending'
       END AS exclusion
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
LEFT JOIN suppression ON suppression.email_key = subscriber.email_key
"""
