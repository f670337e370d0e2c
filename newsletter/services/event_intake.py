"""Receives delivery events and applies what follows from them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock

from newsletter.core.delivery import DeliveryKey
from newsletter.core.events import (
    Consequence,
    DeliveryEvent,
    EventKind,
    KnownIds,
    Origin,
    StoredEvents,
    consequence,
)
from newsletter.core.operator_alert import account_alert
from newsletter.errors import EventNotAuthentic
from newsletter.ports import Clock, ReadWebhook
from newsletter.services.sending_limits import SendingLimits
from newsletter.stores.events import EventStore
from newsletter.stores.schedule import ScheduleStore
from newsletter.stores.webhook_line import WebhookLineStore
from subscribers.model import Suppression, SuppressionReason
from subscribers.subscriptions.service import Subscriptions

_Lasting = tuple[DeliveryKey, DeliveryEvent, Consequence]  #: a delivery, with what lasts beyond it

_SOURCE = "delivery event"
_ENGAGED = (EventKind.OPENED, EventKind.CLICKED)  #: by a person, as far as SendGrid can tell


class Counters:
    """Named counts that several threads may raise."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, counts: Mapping[str, int]) -> None:
        with self._lock:
            self._counts.update(counts)

    def values(self) -> dict[str, int]:
        """Return all counts by name, sorted; a name never raised is not there."""
        with self._lock:
            return dict(sorted(self._counts.items()))


@dataclass(eq=False)
class EventIntake:
    """Receives posts of delivery events: verifies, applies and stores each event once.

    It counts `posts`, `posts_refused`, `events_repeated`, `batches_reconciled`, and new events by
    their kind: `events_delivered` and so on. Events of letters that are not this installation's
    are counted by their origin instead: `foreign_events_without_ids` and so on.
    """

    read: ReadWebhook
    events: EventStore
    subscriptions: Subscriptions
    webhook_line: WebhookLineStore
    limits: SendingLimits
    alerts: ScheduleStore
    clock: Clock
    counters: Counters = field(default_factory=Counters)

    def receive(self, body: bytes, headers: Mapping[str, str]) -> StoredEvents:
        """Apply a post of events, then store each of them once.

        The effects come first: a crash between the two leaves events that SendGrid posts again,
        never a complaint that is stored without its effect. Both are harmless to repeat.
        """
        try:
            events = self.read(body, headers)
        except EventNotAuthentic:
            self.counters.add({"posts_refused": 1})
            self.webhook_line.remember_failure(self.clock.now())
            raise
        try:
            stored = self._receive(events, self.clock.now())
        except Exception:
            self.webhook_line.remember_failure(self.clock.now())
            raise
        self.limits.count_reported(Counter(event.kind.value for event in stored.new))
        return stored

    def _receive(self, events: tuple[DeliveryEvent, ...], now: datetime) -> StoredEvents:
        known = self.events.known_ids(events)
        # The latest last: a suppression that was lifted since is only restored by a later event.
        lasting = [
            one for one in sorted(events, key=lambda one: one.at) if consequence(one).lasting
        ]
        own = [one for one in events if known.origin(one) is Origin.OWN]
        if own_lasting := list(_lasting(one for one in lasting if known.origin(one) is Origin.OWN)):
            self._apply(own_lasting, now)
        self._suppress_known(one for one in lasting if known.origin(one) is not Origin.OWN)
        self._record_engagement(_engagement(own, now))
        self._report_account(events, now)
        stored = self.events.record(events, known, now)
        self.webhook_line.record_post({e.attempt_id for e in own if e.attempt_id}, now)
        self.counters.add(_counts(stored, known))
        return stored

    def _apply(self, lasting: list[_Lasting], now: datetime) -> None:
        suppressed = {(one, c.suppress): e.at for one, e, c in lasting if c.suppress}
        if soft := {one: e.at for one, e, c in lasting if c.soft}:
            worn_out = self.events.count_soft_bounces(soft)
            suppressed |= {(one, SuppressionReason.SOFT_BOUNCE): at for one, at in worn_out.items()}
        ended = {one for one, _, c in lasting if c.end}
        owners = self.events.owners(ended.union(one for one, _ in suppressed))
        # The owner may have changed address since: the one that was written to is suppressed.
        written_to = {one: email for one, (_, email) in owners.items()} | {
            one: event.email for one, event, _ in lasting if event.email
        }
        self.subscriptions.suppress(
            Suppression(email=written_to[one], reason=reason, source=_SOURCE, since=at)
            for (one, reason), at in suppressed.items()
            if one in owners
        )
        unsubscribed = {subscription for one, (subscription, _) in owners.items() if one in ended}
        self.subscriptions.unsubscribe(unsubscribed, now=now, source=_SOURCE)

    def _suppress_known(self, events: Iterable[DeliveryEvent]) -> None:
        """Suppress addresses that we write to, whoever wrote the letter that bounced.

        That a mailbox is gone, or that its owner complained, holds for our letters as well.
        """
        said = {(e.email, c.suppress): e.at for e in events if (c := consequence(e)).suppress}
        if not said:
            return
        known = self.subscriptions.known_addresses({email for email, _ in said})
        self.subscriptions.suppress(
            Suppression(email=email, reason=reason, source=_SOURCE, since=at)
            for (email, reason), at in said.items()
            if reason and email in known
        )

    def _report_account(self, events: Iterable[DeliveryEvent], now: datetime) -> None:
        changes = [one for one in events if one.kind is EventKind.ACCOUNT_CHANGED]
        for event in sorted(changes, key=lambda one: one.at):
            at = min(event.at, now)  # one from the future would silence those until then
            alert = account_alert(str(event.raw.get("type")), at)
            self.alerts.queue_account_alert(alert, at)

    def _record_engagement(self, engagement: Mapping[date, list[DeliveryKey]]) -> None:
        for day, deliveries in engagement.items():
            self.subscriptions.record_engagement(self.events.subscriptions_of(deliveries), day)


def _engagement(events: Iterable[DeliveryEvent], now: datetime) -> dict[date, list[DeliveryKey]]:
    """Return which deliveries were opened or clicked on which day, never on a day to come."""
    found: dict[date, list[DeliveryKey]] = {}
    for event in events:
        if event.kind in _ENGAGED and event.delivery is not None:
            day = min(event.at, now).astimezone(UTC).date()
            found.setdefault(day, []).append(event.delivery)
    return found


def _lasting(events: Iterable[DeliveryEvent]) -> Iterator[_Lasting]:
    for event in events:
        follows = consequence(event)
        if follows.lasting and event.delivery is not None:
            yield event.delivery, event, follows


def _counts(stored: StoredEvents, known: KnownIds) -> Counter[str]:
    counts: Counter[str] = Counter()
    for event in stored.new:
        origin = known.origin(event)
        counts[f"foreign_events_{origin}" if origin.is_foreign else f"events_{event.kind}"] += 1
    counts.update(posts=1, events_repeated=stored.repeated, batches_reconciled=stored.reconciled)
    return counts
