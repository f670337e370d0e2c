"""Correspondence: a letter to one person about their own subscription, and what became of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.delivery import Accepted, Outcome, Refused, Remedy, Unknown
from newsletter.core.edition import Letter
from newsletter.core.publication import Mailbox
from subscribers.model import Subscription

PATIENCE = timedelta(days=1)  #: a letter that could not leave for so long is given up
_LONGEST_PAUSE = timedelta(minutes=15)


class TransactionalKind(StrEnum):
    """What the letter says; beside it, what it refers to."""

    CONFIRMATION = "confirmation"  #: a sign-up: was it you?
    ALREADY = "already"  #: a subscription: you have one
    WELCOME = "welcome"  #: a subscription: it has begun
    ADDRESS = "address"  #: an address change: is this address yours?
    STILL_WANTED = "still_wanted"  #: a subscription: do you still want it?


class TransactionalStatus(StrEnum):
    """How a letter stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"  #: somebody holds it and may be talking to SendGrid
    ACCEPTED = "accepted"
    REFUSED = "refused"  #: SendGrid said no, for good or for too long
    UNKNOWN = "unknown"  #: asked, and the answer was lost; never asked again
    VOID = "void"  #: there was nobody left to write to


@dataclass(frozen=True, kw_only=True)
class TransactionalEmail:
    """A letter to one person, held by one worker."""

    id: int
    kind: TransactionalKind
    newsletter: str
    refers: int
    attempt: int  #: counted from 1
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class LatestIssue:
    """The newest issue, as a welcome tells of it."""

    url: str
    on: date
    headlines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TransactionalContext:
    """What a letter to one person is about: all that its template is told."""

    kind: TransactionalKind
    email: str
    links: dict[str, str]  #: by what they do: confirm, preferences, unsubscribe, keep
    subscription: Subscription | None = None  #: None: there is none to leave yet
    lasts: str = ""  #: how long its link works, in words
    topics: tuple[str, ...] = ()  #: titles; none: everything
    weekly: bool = False
    latest: LatestIssue | None = None


@dataclass(frozen=True, kw_only=True)
class TransactionalMessage:
    """A letter to one person, ready to leave."""

    id: int
    email: str
    sender: Mailbox
    reply_to: Mailbox
    headers: dict[str, str]
    letter: Letter


@dataclass(frozen=True, kw_only=True)
class TransactionalDisposition:
    """What an answer makes of a letter."""

    state: TransactionalStatus
    reason: str = ""
    message_id: str = ""
    not_before: datetime | None = None  #: its next attempt
    closed_until: datetime | None = None  #: no worker asks anything before this
    tell: bool = False  #: a person must know


#: Auto-Submitted keeps other machines from answering (RFC 3834, section 5).
AUTOMATIC = {"Auto-Submitted": "auto-generated"}


def fate_of(
    outcome: Outcome, errand: TransactionalEmail, now: datetime
) -> TransactionalDisposition:
    """Decide what becomes of a claimed letter. An Unknown is never asked again."""
    match outcome:
        case Accepted(message_id=message_id):
            return TransactionalDisposition(
                state=TransactionalStatus.ACCEPTED, message_id=message_id
            )
        case Unknown(reason=reason):
            return TransactionalDisposition(state=TransactionalStatus.UNKNOWN, reason=reason)
        case Refused(remedy=Remedy.EJECT | Remedy.SPLIT, reason=reason):
            return TransactionalDisposition(state=TransactionalStatus.REFUSED, reason=reason)
        case Refused(reason=reason) if now - errand.written_at >= PATIENCE:
            return TransactionalDisposition(
                state=TransactionalStatus.REFUSED, reason=reason, tell=True
            )
        case Refused(remedy=Remedy.WAIT, reason=reason, wait=wait):
            until = now + (wait or _pause(errand.attempt))
            return _again(reason, until, closed_until=until)
        case Refused(remedy=remedy, reason=reason):
            return _again(reason, now + _pause(errand.attempt), tell=remedy is Remedy.PAUSE)


def _again(
    reason: str, at: datetime, *, closed_until: datetime | None = None, tell: bool = False
) -> TransactionalDisposition:
    return TransactionalDisposition(
        state=TransactionalStatus.WAITING,
        reason=reason,
        not_before=at,
        closed_until=closed_until,
        tell=tell,
    )


def _pause(attempt: int) -> timedelta:
    return min(timedelta(seconds=5) * 2 ** min(attempt, 20), _LONGEST_PAUSE)
