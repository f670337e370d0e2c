"""The rows of subscribers, subscriptions and suppressions, and the views `newsletter` reads.

There are no foreign keys: they took half the time of an import. Only this package writes these
tables, and what is referred to in the same transaction as what refers. Topic sets are never
deleted, and a subscriber only by erasure, which deletes all that refers to them.
See docs/decisions/subscribers-without-foreign-keys.md.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, Identity, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from subscribers.db import columns
from subscribers.db.columns import Row
from subscribers.model import Frequency, SubscriptionStatus, SuppressionReason


def _where_there(name: str, column: str, present: str = "") -> Index:
    return Index(name, column, postgresql_where=text(f"{present or column} IS NOT NULL"))


class SubscriberRow(Row, table=True):
    """An address, as it was typed and as it is compared."""

    __table_args__ = (_where_there("subscriber_merged", "merged_into"),)

    id: int = columns.identity()
    email: str = columns.word()
    email_key: str = Field(sa_column=Column(columns.KEY, nullable=False, unique=True))
    name: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    created_at: datetime = columns.moment()
    merged_into: int | None = columns.number(optional=True)  #: who they are now


class TopicSetRow(Row, table=True):
    """A choice of topics, sorted; everyone who chose alike refers to one row."""

    id: int = Field(sa_column=Column(Integer, Identity(), primary_key=True))
    slugs: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, unique=True))


class SubscriptionRow(Row, table=True):
    """One subscriber's choice for one newsletter."""

    __table_args__ = (
        UniqueConstraint("subscriber_id", "newsletter"),
        columns.one_of("status", SubscriptionStatus),
        columns.one_of("frequency", Frequency),
        _where_there("subscription_paused", "paused_until", "paused_at"),
        _where_there("subscription_undone", "subscriber_id", "undone_at"),
        _where_there("subscription_merged_into", "merged_into_subscriber_id"),
        # Who has no tag is not in it: most lists have none, and pay nothing for it.
        Index(
            "subscription_tags",
            "tags",
            postgresql_using="gin",
            postgresql_where=text("tags <> '{}'"),
        ),
    )

    id: int = columns.identity()
    subscriber_id: int = columns.number()
    newsletter: str = columns.word()
    topic_set_id: int = Field(sa_column=Column(Integer, nullable=False))
    zone: str = columns.word()
    status: str = columns.word()
    link_key: bytes = columns.link_key()
    created_at: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(optional=True)
    frequency: str = columns.word("daily")
    paused_at: datetime | None = columns.moment(optional=True)  #: null: not paused
    paused_until: datetime | None = columns.moment(optional=True)  #: null: until they say so
    tags: list[str] = columns.words()
    source: str = columns.word("import")  #: how they came: "import 12", "sign-up page", an operator
    import_id: int | None = columns.number(optional=True)  #: the import that added them
    import_line: int | None = Field(default=None, sa_column=Column(Integer))  #: and where in it
    engaged_on: date | None = Field(default=None, sa_column=Column(Date))  #: last human open, click
    asked_at: datetime | None = columns.moment(optional=True)  #: when "still want this?" was asked
    #: The import that added it was undone, and its owner did nothing: it stays for the links in
    #: emails already sent, and counts for nothing.
    undone_at: datetime | None = columns.moment(optional=True)
    #: Whose it became when people were merged: an unsubscribe through an old link of it is theirs,
    #: too, also when its subscriber came back since for something else.
    merged_into_subscriber_id: int | None = columns.number(optional=True)


class ConsentRow(Row, table=True):
    """Evidence of what a subscriber agreed to, or withdrew: append-only."""

    __table_args__ = (Index("consent_at", "at", postgresql_using="brin"),)

    id: int = columns.identity()
    subscriber_id: int = columns.number(index=True)
    newsletter: str = columns.word()
    at: datetime = columns.moment()
    act: str = columns.word()
    source: str = columns.word()
    detail: dict[str, Any] = columns.json_object()


class PendingUnsubscribeRow(Row, table=True):
    """An unsubscribe that could not be applied at once; it counts from the moment it is here.

    Rows are only added, and deleted once they are applied.
    See docs/decisions/one-lock-stops-nobody.md.
    """

    id: int = columns.identity()
    subscription_id: int = columns.number()
    at: datetime = columns.moment()
    source: str = columns.word()


class SuppressionRow(Row, table=True):
    """An address that must not be written to, whether or not it is a subscriber's."""

    __table_args__ = (columns.one_of("reason", SuppressionReason),)

    email_key: str = Field(sa_column=Column(columns.KEY, primary_key=True))
    reason: str = columns.word()
    source: str = columns.word()
    since: datetime = columns.moment(index=True)
    note: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))


class SuppressionLiftRow(Row, table=True):
    """When a reason was last lifted from an address: earlier events are answered by it."""

    email_key: str = Field(sa_column=Column(columns.KEY, primary_key=True))
    reason: str = columns.text_key()
    at: datetime = columns.moment()


# One row a subscription that counts; `exclusion` is null when it may be written to. The order of
# the cases is that of `subscribers.rules.audience.exclusion`, which specifies this view. An unknown
# status excludes. A pause that is over is ended before a plan, by `end_expired_pauses`.
AUDIENCE_VIEW = """
CREATE VIEW audience AS
SELECT subscription.id AS subscription_id,
       subscription.subscriber_id,
       subscription.newsletter,
       subscriber.email,
       subscription.topic_set_id,
       subscription.link_key,
       subscription.zone,
       subscription.frequency,
       CASE WHEN suppression.email_key IS NOT NULL THEN 'suppressed'
            WHEN subscription.status <> 'active' THEN 'ended'
            WHEN subscription.id IN (SELECT subscription_id FROM pending_unsubscribe) THEN 'ended'
            WHEN subscription.paused_at IS NOT NULL THEN 'paused'
       END AS exclusion
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
LEFT JOIN suppression ON suppression.email_key = subscriber.email_key
WHERE subscription.undone_at IS NULL
"""

# Whose an email was: of every subscription there ever was, also when it counts for nothing now.
ADDRESSEE_VIEW = """
CREATE VIEW addressee AS
SELECT subscription.id AS subscription_id, subscriber.email
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
"""
