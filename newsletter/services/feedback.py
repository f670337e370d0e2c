"""Hearing what became of letters, and letting it have its effect."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from newsletter.core.events import DeliveryEvent, consequence
from newsletter.ports import Clock, EventStore, KeptEvents, Owner
from subscribers.model import Suppression
from subscribers.service import Subscriptions

_SOURCE = "delivery event"


class EventSource(Protocol):
    """Understands a vendor's webhook."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> tuple[DeliveryEvent, ...]:
        """Check the signature first, then translate; EventNotAuthentic if it does not hold."""
        ...


class Feedback:
    """The desk where delivery events arrive."""

    def __init__(
        self, *, source: EventSource, events: EventStore, subscriptions: Subscriptions, clock: Clock
    ) -> None:
        self._source, self._events = source, events
        self._subscriptions, self._clock = subscriptions, clock

    def accept(self, body: bytes, headers: Mapping[str, str]) -> KeptEvents:
        """Keep a post of events, each once, and let it have its effect.

        The effects come first: a crash between the two leaves events that SendGrid posts again,
        never a complaint that was kept and not heard. Both are harmless to repeat.
        """
        now = self._clock.now()
        events = self._source.read(body, headers)
        lasting = [e for e in events if e.delivery_id is not None and consequence(e).lasting]
        if lasting:
            self._act(lasting, now)
        return self._events.keep(events, now)

    def _act(self, lasting: list[DeliveryEvent], now: datetime) -> None:
        ids = [event.delivery_id for event in lasting if event.delivery_id is not None]
        owners = self._events.owners(ids)
        owned = [(e, owners[e.delivery_id]) for e in lasting if e.delivery_id in owners]
        self._subscriptions.suppress(_suppressions(owned))
        goodbyes = {owner.subscription_id for e, owner in owned if consequence(e).end}
        self._subscriptions.end(goodbyes, now=now, source=_SOURCE)


def _suppressions(owned: list[tuple[DeliveryEvent, Owner]]) -> Iterator[Suppression]:
    for event, owner in owned:
        if reason := consequence(event).suppress:
            yield Suppression(email=owner.email, reason=reason, source=_SOURCE, since=event.at)
