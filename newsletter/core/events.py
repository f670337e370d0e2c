"""DeliveryEvent: what is later reported of a delivery, and what follows from it.

To add a word of SendGrid's: a kind here with its line in `CONSEQUENCES`, and the word in
`newsletter/adapters/sendgrid/webhook.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from newsletter.core.delivery import DeliveryKey, DeliveryState
from subscribers.model import SuppressionReason


class EventKind(StrEnum):
    """What happened, in the field's words; UNKNOWN stands for what SendGrid may yet invent."""

    PROCESSED = "processed"
    DROPPED = "dropped"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"  #: refused for good
    SOFT_BOUNCED = "soft_bounced"  #: refused this time, for what the mailbox is; it counts
    BLOCKED = "blocked"  #: refused this time, for what we are or sent; says nothing of the mailbox
    OPENED = "opened"
    OPENED_BY_MACHINE = "opened_by_machine"  #: a mail proxy fetched the letter's images
    CLICKED = "clicked"
    CLICKED_BY_MACHINE = "clicked_by_machine"  #: a scanner followed a link, and says so
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"
    ACCOUNT_CHANGED = "account_changed"  #: SendGrid suspended our account, or let it go on
    UNKNOWN = "unknown"


_FOLLOWED = (EventKind.CLICKED, EventKind.CLICKED_BY_MACHINE)


@dataclass(frozen=True, kw_only=True)
class DeliveryEvent:
    """One event, with the original."""

    event_id: str  #: sg_event_id, or a digest of the event where SendGrid gave none
    kind: EventKind
    delivery: DeliveryKey | None  #: as our custom arguments say; None where the event bears none
    attempt_id: str | None
    installation_id: str | None
    transactional_id: int | None = None  #: of an email to one person
    at: datetime
    reason: str  #: the receiving server's words, or SendGrid's
    raw: dict[str, Any]
    email: str = field(default="", repr=False)  #: it was about, at that time; not stored

    @property
    def url(self) -> str | None:
        """Return the address of the link that was followed, as the letter has it."""
        url = self.raw.get("url")
        return url if self.kind in _FOLLOWED and isinstance(url, str) and url else None


class Origin(StrEnum):
    """Whose letter an event is about. Only OWN moves a delivery.

    See docs/decisions/events-act-on-own-letters.md.
    """

    OWN = "own"  #: a delivery of this installation, by a request that was made for it
    TRANSACTIONAL = "transactional"  #: an email to one person, of this installation
    ACCOUNT = "account"  #: no letter at all, but the account that all share
    ANOTHER = "another_installation"  #: it bears another installation's id, or ids without one
    UNMATCHED = "unmatched"  #: it bears ours, and no request of ours was made for that delivery
    WITHOUT_IDS = "without_ids"  #: whatever else is sent from the account

    @property
    def is_foreign(self) -> bool:
        return self in _FOREIGN


_FOREIGN = frozenset({Origin.ANOTHER, Origin.UNMATCHED, Origin.WITHOUT_IDS})


@dataclass(frozen=True, kw_only=True)
class KnownIds:
    """Which of the ids that a post of events bears are this installation's."""

    installation_id: str
    #: Deliveries, each with an attempt that was made for its batch, or before that was split off.
    requests: frozenset[tuple[DeliveryKey, str]]
    transactional: frozenset[int]

    def origin(self, event: DeliveryEvent) -> Origin:
        """Return whose letter an event is about; a delivery's place alone proves nothing."""
        if event.kind is EventKind.ACCOUNT_CHANGED:
            return Origin.ACCOUNT
        if event.installation_id != self.installation_id:
            return Origin.ANOTHER if _bears_ids(event) else Origin.WITHOUT_IDS
        if (event.delivery, event.attempt_id) in self.requests:
            return Origin.OWN
        if event.transactional_id in self.transactional:
            return Origin.TRANSACTIONAL
        return Origin.UNMATCHED


def _bears_ids(event: DeliveryEvent) -> bool:
    ids = (event.installation_id, event.delivery, event.attempt_id, event.transactional_id)
    return any(one is not None for one in ids)


@dataclass(frozen=True, kw_only=True)
class StoredEvents:
    """What storing a post of events came to."""

    new: tuple[DeliveryEvent, ...]
    repeated: int
    reconciled: int  #: unknown batches proven accepted


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What an event changes: a delivery's state, a suppression, the end of a subscription."""

    state: DeliveryState
    suppress: SuppressionReason | None = None  #: since the event's time
    end: bool = False  #: the subscription ends
    soft: bool = False  #: counts towards a suppression; `is_worn_out` says when it is one

    @property
    def lasting(self) -> bool:
        """Return whether anything follows beyond this one letter."""
        return self.end or self.soft or self.suppress is not None


#: What follows when SendGrid drops a letter depends on its reason: see DROPS.
CONSEQUENCES: dict[EventKind, Consequence] = {
    EventKind.PROCESSED: Consequence(state=DeliveryState.PROCESSED),
    EventKind.DROPPED: Consequence(state=DeliveryState.DROPPED),
    EventKind.DEFERRED: Consequence(state=DeliveryState.DEFERRED),
    EventKind.DELIVERED: Consequence(state=DeliveryState.DELIVERED),
    EventKind.BOUNCED: Consequence(state=DeliveryState.BOUNCED, suppress=SuppressionReason.BOUNCE),
    EventKind.SOFT_BOUNCED: Consequence(state=DeliveryState.BLOCKED, soft=True),
    EventKind.BLOCKED: Consequence(state=DeliveryState.BLOCKED),
    EventKind.OPENED: Consequence(state=DeliveryState.OPENED),
    EventKind.OPENED_BY_MACHINE: Consequence(state=DeliveryState.DELIVERED),
    EventKind.CLICKED: Consequence(state=DeliveryState.CLICKED),
    EventKind.CLICKED_BY_MACHINE: Consequence(state=DeliveryState.DELIVERED),
    EventKind.COMPLAINED: Consequence(
        state=DeliveryState.COMPLAINED, suppress=SuppressionReason.COMPLAINT, end=True
    ),
    EventKind.UNSUBSCRIBED: Consequence(state=DeliveryState.UNSUBSCRIBED, end=True),
    EventKind.RESUBSCRIBED: Consequence(state=DeliveryState.NO_EVENTS),
    EventKind.ACCOUNT_CHANGED: Consequence(state=DeliveryState.NO_EVENTS),
    EventKind.UNKNOWN: Consequence(state=DeliveryState.NO_EVENTS),
}

_DROPPED = DeliveryState.DROPPED

#: SendGrid's reasons to drop a letter that say something lasting, case-folded. The others (spam
#: content, a wrong header, a package used up) are about the letter or about us.
DROPS: dict[str, Consequence] = {
    "bounced address": Consequence(state=_DROPPED, suppress=SuppressionReason.BOUNCE),
    "invalid": Consequence(state=_DROPPED, suppress=SuppressionReason.INVALID),
    "spam reporting address": Consequence(state=_DROPPED, suppress=SuppressionReason.COMPLAINT),
    "unsubscribed address": Consequence(state=_DROPPED, end=True),
}


def consequence(event: DeliveryEvent) -> Consequence:
    plain = CONSEQUENCES[event.kind]
    if event.kind is not EventKind.DROPPED:
        return plain
    return DROPS.get(event.reason.strip().casefold(), plain)


SOFT_WINDOW = 5  #: letters
SOFT_LIMIT = 3  #: soft bounces among so many letters in a row


def is_worn_out(letters: Sequence[bool]) -> bool:
    """Return whether a mailbox refused too often to go on; `letters` are its own, in order.

    True marks a soft bounce. Every letter that arrives pushes earlier bounces out of the window.
    More events never turn True into False: in whatever order they come, the result is the same.
    A specification: in production `_WORN_OUT` in `newsletter/stores/events.py` must agree.
    """
    windows = range(max(len(letters) - SOFT_WINDOW, 0) + 1)
    return any(sum(letters[start : start + SOFT_WINDOW]) >= SOFT_LIMIT for start in windows)
