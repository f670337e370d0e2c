"""Settlement: what may become of an unknown batch, and on which evidence.

An event bearing one of its attempts' ids proves that the batch was accepted whole. Without one,
silence speaks only while others are heard: if events of batches asked at the same time or later
come in, and none of this one does, it was most likely never taken, and may be sent again, once.

Where no event is heard, SendGrid's Email Logs stand in: what they show is as good a proof. What
they do not show may only be late, so that it counts once they show another batch asked no sooner.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_KEPT = timedelta(days=30)  #: Email Logs keep no longer
_LONGEST_PAUSE = timedelta(hours=6)


class Reconciliation(StrEnum):
    """What is to be done about an unknown batch now."""

    ACCEPTED = "accepted"  #: Email Logs show one of its attempts
    WAIT = "wait"  #: it is too early to say
    RESEND = "resend"  #: silence, while others are heard: one re-send is permitted
    PERSON = "person"  #: there is no evidence, or it was sent again before: a person decides


class Resolution(StrEnum):
    """What a person may decide about an unknown batch."""

    ACCEPTED = "accepted"  #: there is proof that SendGrid took it
    RESEND = "resend"  #: there is proof that it did not: send it again
    REFUSED = "refused"  #: leave it unsent


class ReconciliationEvidence(StrEnum):
    """What can tell the fate of an unknown batch here, besides a person."""

    EVENTS = "events"  #: SendGrid's events are heard
    LOGS = "logs"  #: SendGrid's Email Logs may be read
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Means:
    """How unknown batches are settled here."""

    evidence: ReconciliationEvidence
    obstacle: str = ""  #: why there is none


@dataclass(frozen=True, kw_only=True)
class UnknownBatch:
    """A batch whose answer was lost, and what has been heard since."""

    batch_id: int
    issue_id: int
    newsletter: str
    size: int
    reason: str
    asked: datetime  #: when its last attempt began
    attempts: int  #: requests made for it so far; what is decided of it holds for these
    lost: int  #: attempts whose answer was lost: 1, or more once it was sent again
    others_heard: bool  #: events came of another batch that was asked no sooner


def settle(batch: UnknownBatch, *, now: datetime, quiet_period: timedelta) -> Reconciliation:
    """Say what silence permits."""
    if now < batch.asked + quiet_period:
        return Reconciliation.WAIT
    if batch.others_heard and batch.lost == 1:
        return Reconciliation.RESEND
    return Reconciliation.PERSON


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What Email Logs are asked about a batch: it is shown if a letter of one attempt is."""

    batch_id: int
    issue_id: int
    attempt_ids: frozenset[str]
    emails: tuple[str, ...]  #: of a few of its recipients, as they were written to
    since: datetime  #: when its first attempt began
    until: datetime  #: when its last one did


@dataclass(frozen=True)
class Shown:
    """Email Logs show this attempt: SendGrid took the whole request."""

    attempt_id: str


@dataclass(frozen=True)
class Absent:
    """Email Logs show no attempt of the batch, or not yet."""


@dataclass(frozen=True)
class Unavailable:
    """Email Logs do not say."""

    reason: str
    at_all: bool = True  #: they say nothing about any batch now, not only about this one


Sighting = Shown | Absent | Unavailable


def settle_by_logs(
    batch: UnknownBatch,
    found: Sighting,
    *,
    others_shown: bool,
    now: datetime,
    patience: timedelta,
) -> Reconciliation:
    """Say what Email Logs permit; `others_shown` tells of a batch that was asked no sooner."""
    if isinstance(found, Shown):
        return Reconciliation.ACCEPTED
    absent = isinstance(found, Absent) and others_shown
    return settle(replace(batch, others_heard=absent), now=now, quiet_period=patience)


def next_look(batch: UnknownBatch, last: datetime, patience: timedelta) -> datetime | None:
    """Return when Email Logs are asked again after a look at `last`; None once they forget.

    The pauses grow with the batch's age; one look falls on the end of the patience.
    """
    if last > batch.asked + _KEPT:
        return None
    due = last + min((last - batch.asked) / 4, _LONGEST_PAUSE)
    end = batch.asked + patience
    return min(due, end) if last < end else due
