"""DeliveryEvent: what the world later says of a delivery, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from newsletter.core.delivery import DeliveryState
from subscribers.model import SuppressionReason


class EventKind(StrEnum):
    """What happened, in the field's words; UNKNOWN keeps what SendGrid may yet invent."""

    PROCESSED = "processed"
    DROPPED = "dropped"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"  #: refused for good
    BLOCKED = "blocked"  #: refused this time, for reputation or content; not suppressed
    OPENED = "opened"
    OPENED_BY_MACHINE = "opened_by_machine"  #: a mail proxy fetched the letter's images
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class DeliveryEvent:
    """One event, with its original kept."""

    event_id: str  #: sg_event_id, or a digest of the event where SendGrid gave none
    kind: EventKind
    delivery_id: int | None  #: our custom argument; None if the event bears none
    attempt_id: str | None
    at: datetime
    reason: str  #: the receiving server's words, or SendGrid's
    raw: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What an event does: a rung of the ladder, a suppression, the end of a subscription."""

    state: DeliveryState
    suppress: SuppressionReason | None = None
    end: bool = False  #: the subscription ends

    @property
    def lasting(self) -> bool:
        """Tell whether anything follows for more than this one letter."""
        return self.end or self.suppress is not None


#: Read it as a table. Blocked is a bounce for this letter, and nothing for the address.
CONSEQUENCES: dict[EventKind, Consequence] = {
    EventKind.PROCESSED: Consequence(state=DeliveryState.PROCESSED),
    EventKind.DROPPED: Consequence(state=DeliveryState.DROPPED),
    EventKind.DEFERRED: Consequence(state=DeliveryState.DEFERRED),
    EventKind.DELIVERED: Consequence(state=DeliveryState.DELIVERED),
    EventKind.BOUNCED: Consequence(state=DeliveryState.BOUNCED, suppress=SuppressionReason.BOUNCE),
    EventKind.BLOCKED: Consequence(state=DeliveryState.BOUNCED),
    EventKind.OPENED: Consequence(state=DeliveryState.OPENED),
    EventKind.OPENED_BY_MACHINE: Consequence(state=DeliveryState.DELIVERED),
    EventKind.CLICKED: Consequence(state=DeliveryState.CLICKED),
    EventKind.COMPLAINED: Consequence(
        state=DeliveryState.COMPLAINED, suppress=SuppressionReason.COMPLAINT, end=True
    ),
    EventKind.UNSUBSCRIBED: Consequence(state=DeliveryState.UNSUBSCRIBED, end=True),
    EventKind.RESUBSCRIBED: Consequence(state=DeliveryState.SILENT),
    EventKind.UNKNOWN: Consequence(state=DeliveryState.SILENT),
}

#: Drop reasons that say something lasting of the address (lower-cased prefixes of `reason`).
DROPS: dict[str, SuppressionReason] = {
    "bounced address": SuppressionReason.BOUNCE,
    "spam reporting address": SuppressionReason.COMPLAINT,
    "invalid": SuppressionReason.INVALID,
}


def consequence(event: DeliveryEvent) -> Consequence:
    """Return what follows from an event; a drop's reason decides what it says of the address."""
    plain = CONSEQUENCES[event.kind]
    if event.kind is not EventKind.DROPPED:
        return plain
    reason = event.reason.casefold()
    if reason.startswith("unsubscribed address"):
        return Consequence(state=plain.state, end=True)
    for words, suppress in DROPS.items():
        if reason == words or (words != "invalid" and reason.startswith(words)):
            return Consequence(state=plain.state, suppress=suppress)
    return plain
