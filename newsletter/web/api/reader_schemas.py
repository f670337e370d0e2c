"""Readers as the API says them and is told them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, Self

from pydantic import Field

from newsletter.services.reader_keeping import ReaderChange
from newsletter.web.api.schemas import ApiModel
from subscribers.model import (
    NAME_LENGTH,
    Frequency,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
    TopicSet,
)
from subscribers.records.model import Person, SearchHit

_LONGEST = 2_000  #: characters of one text

#: Whether letters go to a subscription, as far as it is up to the reader.
ReaderState = Literal["active", "paused", "ended"]


class ReaderSubscription(ApiModel):
    """What somebody chose in one newsletter."""

    status: ReaderState
    topics: list[str] | None = Field(description="Null: every topic, also those still to come.")
    frequency: Frequency
    time_zone: str
    tags: list[str]
    paused_until: datetime | None = Field(description="Null while paused: until they say so.")
    source: str = Field(description="How they came.")
    joined: datetime | None
    engaged_on: date | None = Field(description="The last day on which they opened or clicked.")

    @classmethod
    def of(cls, one: Subscription) -> Self:
        everything = one.topics == TopicSet.of(())
        topics = None if everything else sorted(one.topics.slugs)
        return cls.like(one, status=_state(one), topics=topics, time_zone=one.zone)


class ReaderSuppression(ApiModel):
    """Why an address is not written to, whatever it subscribed to."""

    reason: SuppressionReason
    since: datetime


class ReaderItem(ApiModel):
    """A reader, in the newsletters that the token sees."""

    id: int
    email: str
    name: str
    since: datetime
    suppressed: ReaderSuppression | None
    subscriptions: dict[str, ReaderSubscription] = Field(description="By the newsletter's slug.")

    @classmethod
    def of(cls, person: Person, subscriptions: Mapping[str, Subscription]) -> Self:
        return cls.like(
            person,
            suppressed=person.suppression and ReaderSuppression.like(person.suppression),
            subscriptions={slug: ReaderSubscription.of(one) for slug, one in subscriptions.items()},
        )


class ReaderLine(ApiModel):
    """A reader in a list."""

    id: int
    email: str
    name: str
    since: datetime
    merged: bool = Field(description="They are another reader now, to whom their number leads.")
    suppressed: SuppressionReason | None
    statuses: dict[str, str] = Field(description="Of each subscription, by the newsletter's slug.")
    tags: list[str]

    @classmethod
    def of(cls, hit: SearchHit) -> Self:
        parts = (text.partition(": ") for text in hit.statuses)
        suppressed = SuppressionReason(hit.suppressed) if hit.suppressed else None
        statuses = {slug: status for slug, _, status in parts}
        return cls.like(hit, suppressed=suppressed, statuses=statuses)


class NewReader(ApiModel):
    """Somebody who is to subscribe, and where their consent came from."""

    email: str = Field(min_length=1, max_length=_LONGEST)
    newsletter: str = Field(max_length=200, description="As `GET /newsletters` names it.")
    consent: str = Field(
        min_length=1,
        max_length=_LONGEST,
        description="Where their consent came from, or the words they agreed to: the evidence.",
    )
    confirmed: bool = Field(
        default=False,
        description="They have confirmed it already, as `consent` says. Otherwise, where the "
        "newsletter has a sign-up, a letter asks them to.",
    )
    topics: list[str] | None = Field(
        default=None, max_length=100, description="Null: every topic, also those still to come."
    )
    name: str = Field(default="", max_length=NAME_LENGTH)
    time_zone: str | None = Field(default=None, max_length=100, description="Of the IANA.")


class AddedReader(ApiModel):
    """What became of somebody who is to subscribe."""

    status: Literal["subscribed", "to be confirmed"]
    reader: int | None = Field(description="Their number; null until they confirm.")


class SubscriptionPatch(ApiModel):
    """What is to change of a subscription; what is left out stays."""

    topics: list[str] | None = Field(default=None, max_length=100)
    frequency: Frequency = Frequency.DAILY
    time_zone: str = Field(default="", max_length=100)
    tags: list[str] | None = Field(default=None, max_length=100, description="Null: none.")
    paused_until: date | None = Field(default=None, description="Null ends a pause.")

    def change(self) -> ReaderChange:
        said = self.model_fields_set
        paused = "paused_until" in said
        return ReaderChange(
            topics=TopicSet.of(self.topics or ()) if "topics" in said else None,
            frequency=self.frequency if "frequency" in said else None,
            zone=self.time_zone if "time_zone" in said else None,
            tags=tuple(self.tags or ()) if "tags" in said else None,
            until=self.paused_until if paused else None,
            resume=paused and self.paused_until is None,
        )


class ReaderPatch(ApiModel):
    """What is to change of a reader; what is left out stays."""

    name: str | None = Field(default=None, max_length=NAME_LENGTH, description="Null: none.")
    subscriptions: dict[str, SubscriptionPatch] = Field(default={}, max_length=100)


class ReaderLeave(ApiModel):
    """What somebody leaves who asked for it."""

    newsletter: str | None = Field(
        default=None, max_length=200, description="Its slug; null: all that the token sees."
    )


class EndedSubscriptions(ApiModel):
    """How many subscriptions ended; none of somebody who had left before."""

    ended: int


class ReaderHistoryLine(ApiModel):
    """Something that is on record of a reader."""

    at: datetime
    who: str
    what: str
    about: str = Field(description="A newsletter, or an issue of it.")
    detail: str


class ReaderHistory(ApiModel):
    """All that is on record of a reader, the oldest first."""

    data: list[ReaderHistoryLine]


def _state(one: Subscription) -> ReaderState:
    if one.status is SubscriptionStatus.ENDED:
        return "ended"
    return "paused" if one.paused_at else "active"
