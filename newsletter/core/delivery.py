"""Delivery, batch, attempt: one issue to one subscriber, once, and what SendGrid answered.

See docs/decisions/three-outcomes.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

BATCH_LIMIT = 1_000  #: mail/send v3: at most 1,000 personalizations a request
PERSISTENT = 8  #: refusals worth a retry, some five minutes of them, before operators are alerted


class DeliveryState(IntEnum):
    """How far a delivery has come, as events show; the highest state wins.

    Only events change it; until one comes, the state of its batch counts.
    """

    NO_EVENTS = 0  #: no event yet
    PROCESSED = 10  #: SendGrid is about to try
    DEFERRED = 20  #: the recipient's server said "later"
    DELIVERED = 30  #: the recipient's server took it
    OPENED = 40  #: by a person, as far as SendGrid can tell
    CLICKED = 50  #: a link was followed
    DROPPED = 60  #: SendGrid declined to try
    BLOCKED = 65  #: the recipient's server refused it this time
    BOUNCED = 70  #: the recipient's server refused it for good
    UNSUBSCRIBED = 80  #: the recipient unsubscribed through SendGrid
    COMPLAINED = 90  #: the recipient called it spam


def advance(state: DeliveryState, seen: DeliveryState) -> DeliveryState:
    """Return the state after an event that shows `seen`: order and repeats do not matter.

    A specification: in production `_ADVANCE` in `newsletter/stores/result_counts.py` must agree.
    """
    return max(state, seen)


class BatchState(StrEnum):
    """The state of a batch, and so of each delivery in it."""

    PLANNED = "planned"  #: nothing was sent yet
    CLAIMED = "claimed"  #: a worker has it and may be talking to SendGrid
    ACCEPTED = "accepted"  #: SendGrid took it (202), or an event proved so
    REFUSED = "refused"  #: SendGrid said no, for good
    VOID = "void"  #: nobody was left to write to when it was claimed
    UNKNOWN = "unknown"  #: sent, and the answer was lost; never blindly repeated


class Remedy(StrEnum):
    """What a refusal calls for. Nothing was sent in any of these cases."""

    EJECT = "eject"  #: take out the named recipients, send the rest
    SPLIT = "split"  #: the request was too large: halve the batch
    WAIT = "wait"  #: every worker waits until `not_before`
    RETRY = "retry"  #: the request never arrived whole: ask again after a pause
    PAUSE = "pause"  #: the account or the request is wrong: pause the issue for a person


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """SendGrid accepted the whole batch."""

    message_id: str  #: X-Message-Id: one per request


@dataclass(frozen=True, kw_only=True)
class Refused:
    """SendGrid certainly sent none of the batch."""

    reason: str
    remedy: Remedy
    offenders: tuple[int, ...] = ()  #: places in the batch's recipients, counted from 0
    reasons: Mapping[int, str] = field(default_factory=dict[int, str])  #: by offender, each its own
    reached: bool = True  #: False if SendGrid was not even asked
    wait: timedelta | None = None  #: how long SendGrid asked us to wait


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The request may have been accepted; only evidence can tell."""

    reason: str


Outcome = Accepted | Refused | Unknown


class DeliveryKey(NamedTuple):
    """Which delivery: the one in this place of this issue."""

    issue_id: int
    place: int  #: counted from 1, in the order of the issue's batches


def places_by_issue(keys: Iterable[DeliveryKey]) -> dict[int, list[int]]:
    """Return the places asked for of each issue, each once and in order.

    >>> places_by_issue([DeliveryKey(7, 2), DeliveryKey(6, 1), DeliveryKey(7, 1)])
    {6: [1], 7: [1, 2]}
    """
    found: dict[int, list[int]] = {}
    for issue_id, place in sorted(set(keys)):
        found.setdefault(issue_id, []).append(place)
    return found


class Recipient(NamedTuple):
    """A subscriber as sending needs them; a million of these are made during a send."""

    place: int  #: of the delivery in its issue
    email: str
    subscription_id: int
    link_key: bytes  #: what this subscription's links are signed with


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A batch claimed by one worker for one attempt."""

    installation_id: str  #: travels with the attempt's, so that every event names both
    attempt_id: str
    attempt: int  #: counted from 1
    batch_id: int
    issue_id: int
    brief_ids: tuple[int, ...]  #: what its edition prints
    recipients: tuple[Recipient, ...]
    resumed_at: datetime | None = None  #: the issue; failures count from there

    def delivery(self, recipient: Recipient) -> DeliveryKey:
        return DeliveryKey(self.issue_id, recipient.place)


@dataclass(frozen=True)
class NotYet:
    """The batch cannot be claimed before this moment."""

    until: datetime


def backoff(attempt: int, spread: float = 0.0) -> timedelta:
    """Return the pause before the next attempt: doubling from 2 s, at most 5 min.

    `spread`, from 0 to 1, lengthens it by up to a half, so that many batches that failed together
    do not all come back together.
    """
    return timedelta(seconds=min(2**attempt, 300) * (1 + spread / 2))


@dataclass(frozen=True, kw_only=True)
class Disposition:
    """What follows for a batch from its outcome."""

    state: BatchState
    reason: str = ""
    eject: tuple[int, ...] = ()  #: places of recipients to close as refused
    eject_reasons: Mapping[int, str] = field(default_factory=dict[int, str])  #: where they differ
    split: bool = False  #: the batch's second half becomes a batch of its own
    not_before: datetime | None = None  #: the batch's next attempt
    closed_until: datetime | None = None  #: no worker sends anything before this
    pause: bool = False  #: the issue waits for a person, who gets the reason
    alert: bool = False  #: operators get the reason, once an issue; it is tried again


def dispose(outcome: Outcome, claim: Claim, now: datetime, *, spread: float = 0.0) -> Disposition:
    """Return what follows for a claimed batch. An Unknown is never sent again from here.

    Only a single letter that is too large is refused for good: whatever else is wrong pauses the
    issue, so that a person sees it and nobody is left out.
    """
    match outcome:
        case Accepted():
            return Disposition(state=BatchState.ACCEPTED)
        case Unknown(reason=reason):
            return Disposition(state=BatchState.UNKNOWN, reason=reason)
        case Refused(remedy=Remedy.EJECT) if known := _known_places(outcome, claim):
            return _again(outcome, eject=known, eject_reasons=outcome.reasons)
        case Refused(remedy=Remedy.SPLIT) if len(claim.recipients) > 1:
            return _again(outcome, split=True)
        case Refused(remedy=Remedy.SPLIT, reason=reason):
            return Disposition(state=BatchState.REFUSED, reason=reason)
        case Refused(remedy=Remedy.WAIT, wait=wait):
            pause = wait or backoff(claim.attempt, spread)
            return _again(outcome, closed_until=now + pause)
        case Refused(remedy=Remedy.RETRY):  # until the issue is no longer fresh
            later, persistent = now + backoff(claim.attempt, spread), claim.attempt >= PERSISTENT
            return _again(outcome, not_before=later, alert=persistent)
        case Refused():
            return _again(outcome, pause=True)


def _known_places(refused: Refused, claim: Claim) -> tuple[int, ...]:
    return tuple(place for place in refused.offenders if place < len(claim.recipients))


def _again(refused: Refused, **changes: Any) -> Disposition:
    return Disposition(state=BatchState.PLANNED, reason=refused.reason, **changes)
