"""The rows of webhooks: endpoints, events, and each event's way to each endpoint.

Events are recorded by triggers: see docs/decisions/webhooks-are-an-outbox.md.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, UniqueConstraint, Uuid, text
from sqlmodel import Field

from subscribers.db import columns
from subscribers.db.columns import Row


class WebhookEndpointRow(Row, table=True):
    """Where events are posted to; none of `newsletters` stands for all of them."""

    id: int = columns.identity()
    name: str = columns.word(unique=True)
    url: str = columns.word()
    events: list[str] = columns.words()
    newsletters: list[str] = columns.words()
    addresses: bool = Field(sa_column=Column(Boolean, nullable=False))
    state: str = columns.word("active")
    reason: str = columns.word("")
    secret: str = columns.word()
    former_secret: str | None = columns.remark()
    former_until: datetime | None = columns.moment(optional=True)
    failures: int = columns.count()
    failing_since: datetime | None = columns.moment(optional=True)
    resting_until: datetime | None = columns.moment(optional=True)
    created_at: datetime = columns.moment()
    created_by: str = columns.word()


class WebhookEventRow(Row, table=True):
    """Something that happened, recorded in its own transaction where an endpoint wants to know."""

    id: int = columns.identity()
    key: UUID = Field(
        sa_column=Column(Uuid, nullable=False, server_default=text("gen_random_uuid()"))
    )
    kind: str = columns.word()
    newsletter: str | None = columns.remark()
    subject: str = columns.word()
    at: datetime = columns.moment()
    facts: dict[str, Any] = columns.json_object()


class WebhookDeliveryRow(Row, table=True):
    """An event's way to one endpoint. Those of one subject go in the order of their numbers."""

    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index(
            "webhook_delivery_due",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "webhook_delivery_open",
            "endpoint_id",
            "subject",
            "id",
            postgresql_where=text("state IN ('waiting', 'claimed')"),
        ),
        Index("webhook_delivery_event", "event_id"),
    )

    id: int = columns.identity()
    endpoint_id: int = columns.refers("webhook_endpoint.id", ondelete="CASCADE")
    event_id: int = columns.refers("webhook_event.id", ondelete="CASCADE")
    subject: str = columns.word()
    state: str = columns.word("waiting")
    tries: int = columns.count()
    #: 1970: at once, whatever the clocks say.
    due_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("'epoch'"))
    )
    lease_until: datetime | None = columns.moment(optional=True)
    tried_at: datetime | None = columns.moment(optional=True)
    status: int | None = Field(default=None, sa_column=Column(Integer))
    reason: str = columns.word("")
    answer: str = columns.word("")
