"""Webhook endpoints and deliveries as the API says them and is told them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from newsletter.core.webhook import (
    CHOICES,
    NAME_LENGTH,
    EndpointState,
    WebhookEndpoint,
    WebhookEventKind,
)
from newsletter.core.webhook_delivery import WebhookDelivery, WebhookDeliveryState
from newsletter.web.api.schemas import ApiModel

_LONGEST = 2_000  #: characters of a URL
_SLUGS = "Slugs; null: all that the token sees."

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH)
]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST)]


class WebhookItem(ApiModel):
    """Where events are posted to; its secret is not shown."""

    id: int
    name: str
    url: str
    events: list[WebhookEventKind]
    newsletters: list[str] = Field(description="Empty: all of them.")
    addresses: bool = Field(description="Whether the addresses of readers may be in payloads.")
    state: EndpointState
    reason: str = Field(description="Why it is paused.")
    created: datetime
    created_by: str
    former_secret_until: datetime | None = Field(description="Until then two secrets sign.")

    @classmethod
    def of(cls, one: WebhookEndpoint) -> Self:
        return cls.like(
            one,
            events=sorted(one.events),
            newsletters=sorted(one.newsletters),
            created=one.created_at,
            former_secret_until=one.former_until,
        )


class NewWebhook(ApiModel):
    """An endpoint that is to be added."""

    name: Name
    url: Url = Field(description="An https address.")
    events: list[WebhookEventKind] = Field(
        default=list(CHOICES), min_length=1, max_length=50, description="All, if it is left out."
    )
    newsletters: list[str] | None = Field(default=None, max_length=100, description=_SLUGS)
    addresses: bool = Field(
        default=False,
        description="Whether the addresses of readers may be in payloads; the token needs the "
        "scope readers:read for it.",
    )


class WebhookPatch(ApiModel):
    """What is to change of an endpoint; what is left out stays."""

    name: Name = ""
    url: Url = ""
    events: list[WebhookEventKind] = Field(default=list(CHOICES), min_length=1, max_length=50)
    newsletters: list[str] | None = Field(default=None, max_length=100, description=_SLUGS)
    addresses: bool = False
    state: EndpointState = EndpointState.ACTIVE
    because: str = Field(default="", max_length=500, description="Why it is paused.")


class AddedWebhook(ApiModel):
    """An endpoint with its secret, which nobody is shown again."""

    webhook: WebhookItem
    secret: str = Field(description="What the receiver verifies signatures with.")


class WebhookDeliveryItem(ApiModel):
    """An event on its way to an endpoint, and what the endpoint answered last."""

    id: int
    event: str = Field(description="What receivers recognise a repeated event by.")
    type: WebhookEventKind
    newsletter: str | None
    at: datetime
    state: WebhookDeliveryState
    tries: int
    due: datetime | None = Field(description="When it is tried next; null: as soon as may be.")
    tried: datetime | None
    status: int | None = Field(description="Of the answer; null: there was none.")
    reason: str = Field(description="Why there was no answer.")
    answer: str = Field(description="The first characters of its body.")

    @classmethod
    def of(cls, one: WebhookDelivery) -> Self:
        return cls.like(
            one,
            one.answer,
            event=one.event.id,
            type=one.event.kind,
            newsletter=one.event.newsletter,
            at=one.event.at,
            due=one.due_at,
            tried=one.tried_at,
            answer=one.answer.body,
        )
