"""Hearing what became of letters, and letting it have its effect."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from newsletter.core.events import Consequence, DeliveryEvent, EventKind, consequence
from newsletter.errors import EventNotAuthentic
from newsletter.ports import Clock, StoredEvents
from newsletter.services.counters import Counters
from newsletter.stores.events import EventStore
from subscribers.model import Suppression, SuppressionReason
from subscribers.subscriptions.service import Subscriptions

_SOURCE = "delivery event"
_ENGAGED = (EventKind.OPENED, EventKind.CLICKED)  #: by a person, as far as SendGrid can tell


class EventSource(Protocol):
    """Understands a vendor's webhook."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> tuple[DeliveryEvent, ...]:
        """Check the signature first, then translate; EventNotAuthentic if it does not hold."""
        ...


@dataclass(frozen=True)
class _News:
    """A lasting event of a delivery, and what follows."""

    delivery_id: int
    email: str
    at: datetime
    follows: Consequence


class EventIntake:
    """The desk where delivery events arrive.

    It counts `posts`, `posts_refused`, `events_repeated`, `batches_settled`, and new events by
    their kind: `events_delivered` and so on.
    """

    def __init__(
        self,
        *,
        source: EventSource,
        events: EventStore,
        subscriptions: Subscriptions,
        clock: Clock,
        counters: Counters | None = None,
    ) -> None:
        self._source, self._events = source, events
        self._subscriptions, self._clock = subscriptions, clock
        self.counters = counters or Counters()

    def accept(self, body: bytes, headers: Mapping[str, str]) -> StoredEvents:
        """Keep a post of events, each once, and let it have its effect.

        The effects come first: a crash between the two leaves events that SendGrid posts again,
        never a complaint that was kept and not heard. Both are harmless to repeat.
        """
        try:
            events = self._source.read(body, headers)
        except EventNotAuthentic:
            self.counters.add({"posts_refused": 1})
            raise
        now = self._clock.now()
        # The latest last: of one letter's news, it is what a lift may not have answered yet.
        if news := sorted(_lasting(events), key=lambda one: one.at):
            self._act(news, now)
        self._engage(_seen(events, now))
        kept = self._events.keep(events, now)
        self.counters.add(_counts(kept))
        return kept

    def _act(self, news: list[_News], now: datetime) -> None:
        said = {(n.delivery_id, n.follows.suppress): n.at for n in news if n.follows.suppress}
        soft = {n.delivery_id: n.at for n in news if n.follows.soft}
        if soft:
            worn_out = self._events.count_soft_bounces(soft)
            said |= {(one, SuppressionReason.SOFT_BOUNCE): at for one, at in worn_out.items()}
        ended = {n.delivery_id for n in news if n.follows.end}
        owners = self._events.owners(list(ended.union(one for one, _ in said)))
        # The owner may have moved since: what is silenced is the address that was written to.
        written_to = {one: owner.email for one, owner in owners.items()} | {
            n.delivery_id: n.email for n in news if n.email
        }
        self._subscriptions.suppress(
            Suppression(email=written_to[one], reason=reason, source=_SOURCE, since=at)
            for (one, reason), at in said.items()
            if one in owners
        )
        goodbyes = {owners[one].subscription_id for one in ended if one in owners}
        self._subscriptions.end(goodbyes, now=now, source=_SOURCE)

    def _engage(self, seen: Mapping[date, list[int]]) -> None:
        for day, deliveries in seen.items():
            self._subscriptions.engage(self._events.subscriptions_of(deliveries), day)


def _seen(events: Iterable[DeliveryEvent], now: datetime) -> dict[date, list[int]]:
    """Return which letters were opened or clicked on which day; no clock runs ahead of ours."""
    seen: dict[date, list[int]] = {}
    for event in events:
        if event.kind in _ENGAGED and event.delivery_id is not None:
            day = min(event.at, now).astimezone(UTC).date()
            seen.setdefault(day, []).append(event.delivery_id)
    return seen


def _lasting(events: Iterable[DeliveryEvent]) -> Iterator[_News]:
    for event in events:
        follows = consequence(event)
        if follows.lasting and event.delivery_id is not None:
            yield _News(event.delivery_id, event.email, event.at, follows)


def _counts(kept: StoredEvents) -> Counter[str]:
    counts = Counter(f"events_{event.kind}" for event in kept.new)
    counts.update(posts=1, events_repeated=kept.repeated, batches_settled=kept.settled)
    return counts
