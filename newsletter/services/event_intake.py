"""Receives delivery events and applies what follows from them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from newsletter.core.events import (
    Consequence,
    DeliveryEvent,
    EventKind,
    StoredEvents,
    consequence,
)
from newsletter.errors import EventNotAuthentic
from newsletter.ports import Clock, ReadWebhook
from newsletter.services.counters import Counters
from newsletter.stores.events import EventStore
from subscribers.model import Suppression, SuppressionReason
from subscribers.subscriptions.service import Subscriptions

_SOURCE = "delivery event"
_ENGAGED = (EventKind.OPENED, EventKind.CLICKED)  #: by a person, as far as SendGrid can tell


@dataclass(frozen=True)
class _LastingEvent:
    """An event of a delivery that has a lasting consequence."""

    delivery_id: int
    email: str
    at: datetime
    consequence: Consequence


class EventIntake:
    """Receives posts of delivery events: verifies, applies and stores each event once.

    It counts `posts`, `posts_refused`, `events_repeated`, `batches_reconciled`, and new events by
    their kind: `events_delivered` and so on.
    """

    def __init__(
        self,
        *,
        read: ReadWebhook,
        events: EventStore,
        subscriptions: Subscriptions,
        clock: Clock,
        counters: Counters | None = None,
    ) -> None:
        self._read, self._events = read, events
        self._subscriptions, self._clock = subscriptions, clock
        self.counters = counters or Counters()

    def receive(self, body: bytes, headers: Mapping[str, str]) -> StoredEvents:
        """Apply a post of events, then store each of them once.

        The effects come first: a crash between the two leaves events that SendGrid posts again,
        never a complaint that is stored without its effect. Both are harmless to repeat.
        """
        try:
            events = self._read(body, headers)
        except EventNotAuthentic:
            self.counters.add({"posts_refused": 1})
            raise
        now = self._clock.now()
        # The latest last: a suppression that was lifted since is only restored by a later event.
        if lasting := sorted(_lasting(events), key=lambda one: one.at):
            self._apply(lasting, now)
        self._record_engagement(_engagement(events, now))
        stored = self._events.record(events, now)
        self.counters.add(_counts(stored))
        return stored

    def _apply(self, events: list[_LastingEvent], now: datetime) -> None:
        found = [(event, event.consequence) for event in events]
        suppressed = {(e.delivery_id, c.suppress): e.at for e, c in found if c.suppress}
        if soft := {e.delivery_id: e.at for e, c in found if c.soft}:
            worn_out = self._events.count_soft_bounces(soft)
            suppressed |= {(one, SuppressionReason.SOFT_BOUNCE): at for one, at in worn_out.items()}
        ended = {e.delivery_id for e, c in found if c.end}
        owners = self._events.owners(list(ended.union(one for one, _ in suppressed)))
        # The owner may have changed address since: the one that was written to is suppressed.
        written_to = {one: owner.email for one, owner in owners.items()} | {
            event.delivery_id: event.email for event in events if event.email
        }
        self._subscriptions.suppress(
            Suppression(email=written_to[one], reason=reason, source=_SOURCE, since=at)
            for (one, reason), at in suppressed.items()
            if one in owners
        )
        unsubscribed = {owners[one].subscription_id for one in ended if one in owners}
        self._subscriptions.unsubscribe(unsubscribed, now=now, source=_SOURCE)

    def _record_engagement(self, engagement: Mapping[date, list[int]]) -> None:
        for day, deliveries in engagement.items():
            self._subscriptions.record_engagement(self._events.subscriptions_of(deliveries), day)


def _engagement(events: Iterable[DeliveryEvent], now: datetime) -> dict[date, list[int]]:
    """Return which deliveries were opened or clicked on which day, never on a day to come."""
    found: dict[date, list[int]] = {}
    for event in events:
        if event.kind in _ENGAGED and event.delivery_id is not None:
            day = min(event.at, now).astimezone(UTC).date()
            found.setdefault(day, []).append(event.delivery_id)
    return found


def _lasting(events: Iterable[DeliveryEvent]) -> Iterator[_LastingEvent]:
    for event in events:
        follows = consequence(event)
        if follows.lasting and event.delivery_id is not None:
            yield _LastingEvent(event.delivery_id, event.email, event.at, follows)


def _counts(stored: StoredEvents) -> Counter[str]:
    counts = Counter(f"events_{event.kind}" for event in stored.new)
    counts.update(posts=1, events_repeated=stored.repeated, batches_reconciled=stored.reconciled)
    return counts
