"""Transactional email: a letter to one person about their own subscription, and its outcome."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.delivery import Accepted, Outcome, Refused, Remedy, Unknown
from newsletter.core.edition import Letter
from newsletter.core.publication import Mailbox
from subscribers.model import Subscription

PATIENCE = timedelta(days=1)  #: an email that could not be sent for so long is given up
_LONGEST_PAUSE = timedelta(minutes=15)


class TransactionalKind(StrEnum):
    """What the email says; beside each, what it refers to."""

    CONFIRMATION = "confirmation"  #: a sign-up: was it you?
    ALREADY = "already"  #: a subscription: you have one
    WELCOME = "welcome"  #: a subscription: it has begun
    ADDRESS = "address"  #: an address change: is this address yours?
    STILL_WANTED = "still_wanted"  #: a subscription: do you still want it?
    LINK = "link"  #: a subscription: here are your links, as you asked

    @property
    def links(self) -> tuple[str, ...]:
        """Return what its reader can do from it: a link for each, which it must show."""
        match self:
            case TransactionalKind.CONFIRMATION | TransactionalKind.ADDRESS:
                return ("confirm",)
            case TransactionalKind.STILL_WANTED:
                return ("still_wanted", "preferences", "unsubscribe")
            case _:
                return ("preferences", "unsubscribe")

    @property
    def priority(self) -> int:
        """Return its place among what waits: of one priority, the oldest leaves first.

        Whoever must confirm, or asked for a link, waits at a page; whoever is asked out of the blue
        waits for nothing.
        """
        match self:
            case (
                TransactionalKind.CONFIRMATION | TransactionalKind.ADDRESS | TransactionalKind.LINK
            ):
                return 0
            case TransactionalKind.STILL_WANTED:
                return 2
            case _:
                return 1


class TransactionalStatus(StrEnum):
    """How an email stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"  #: a worker has it and may be talking to SendGrid
    ACCEPTED = "accepted"
    REFUSED = "refused"  #: SendGrid said no, for good or for too long
    UNKNOWN = "unknown"  #: sent, and the answer was lost; never sent again
    VOID = "void"  #: there was nobody left to write to


@dataclass(frozen=True, kw_only=True)
class TransactionalEmail:
    """A queued email to one person, claimed by one worker."""

    id: int
    installation_id: str
    kind: TransactionalKind
    newsletter: str
    refers: int
    addressee: bytes  #: a keyed hash of the address it was asked for
    attempt: int  #: counted from 1
    queued_at: datetime


@dataclass(frozen=True, kw_only=True)
class LatestIssue:
    """The newest issue, as a welcome shows it."""

    url: str
    on: date
    headlines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TransactionalContext:
    """All that the template of a transactional email is given."""

    kind: TransactionalKind
    email: str
    links: dict[str, str]  #: by what they do: confirm, preferences, unsubscribe, still_wanted
    subscription: Subscription | None = None  #: None: there is none yet
    lasts: str = ""  #: how long its link works, in words
    topics: tuple[str, ...] = ()  #: titles; none: everything
    weekly: bool = False
    latest: LatestIssue | None = None
    elsewhere: tuple[tuple[str, str], ...] = ()  #: their preferences of other newsletters, by name


@dataclass(frozen=True, kw_only=True)
class TransactionalMessage:
    """An email to one person, ready to be sent."""

    id: int
    installation_id: str
    email: str
    sender: Mailbox
    reply_to: Mailbox
    headers: dict[str, str]
    letter: Letter


@dataclass(frozen=True)
class TransactionalDisposition:
    """What follows for an email from SendGrid's answer."""

    state: TransactionalStatus
    reason: str = ""
    message_id: str = ""
    not_before: datetime | None = None  #: its next attempt
    closed_until: datetime | None = None  #: no worker sends anything before this
    alert: bool = False  #: operators are alerted


#: Auto-Submitted keeps other machines from answering (RFC 3834, section 5).
AUTOMATIC = {"Auto-Submitted": "auto-generated"}


def disposition_of(
    outcome: Outcome, email: TransactionalEmail, now: datetime
) -> TransactionalDisposition:
    """Return what follows for a claimed email. An Unknown is never sent again."""
    status, follows = TransactionalStatus, TransactionalDisposition
    match outcome:
        case Accepted(message_id=message_id):
            return follows(status.ACCEPTED, message_id=message_id)
        case Unknown(reason=reason):
            return follows(status.UNKNOWN, reason)
        case Refused(remedy=Remedy.EJECT | Remedy.SPLIT, reason=reason):
            return follows(status.REFUSED, reason)
        case Refused(reason=reason) if now - email.queued_at >= PATIENCE:
            return follows(status.REFUSED, reason, alert=True)
        case Refused(remedy=Remedy.WAIT, reason=reason, wait=wait):
            until = now + (wait or _pause(email.attempt))
            return follows(status.WAITING, reason, not_before=until, closed_until=until)
        case Refused(remedy=remedy, reason=reason):
            until, alert = now + _pause(email.attempt), remedy is Remedy.PAUSE
            return follows(status.WAITING, reason, not_before=until, alert=alert)


def _pause(attempt: int) -> timedelta:
    return min(timedelta(seconds=5) * 2 ** min(attempt, 20), _LONGEST_PAUSE)
