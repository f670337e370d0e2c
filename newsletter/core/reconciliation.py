"""Reconciliation: what may be done about an unknown batch, and on which evidence.

An event of one of its attempts proves the batch accepted; so do SendGrid's Email Logs when they
show one. That nothing is found counts only once another batch, sent no sooner, is found there.
See docs/decisions/absence-permits-one-resend.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_STORED = timedelta(days=30)  #: how far back Email Logs reach
_LONGEST_PAUSE = timedelta(hours=6)


class Reconciliation(StrEnum):
    """What is to be done about an unknown batch now."""

    ACCEPTED = "accepted"  #: Email Logs show one of its attempts
    WAIT = "wait"  #: it is too early to say
    RESEND = "resend"  #: no event, while others are received: one re-send is permitted
    PERSON = "person"  #: there is no evidence, or it was sent again before: a person decides


class Resolution(StrEnum):
    """What a person may decide about an unknown batch."""

    ACCEPTED = "accepted"  #: there is proof that SendGrid took it
    RESEND = "resend"  #: there is proof that it did not: send it again
    REFUSED = "refused"  #: leave it unsent


class ReconciliationEvidence(StrEnum):
    """What can prove here what became of an unknown batch, besides a person."""

    EVENTS = "events"  #: SendGrid's events are received
    LOGS = "logs"  #: SendGrid's Email Logs may be read
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class ReconciliationMeans:
    """How unknown batches are reconciled here."""

    evidence: ReconciliationEvidence
    obstacle: str = ""  #: why there is none


@dataclass(frozen=True, kw_only=True)
class UnknownBatch:
    """A batch whose answer was lost, and what is known since."""

    batch_id: int
    issue_id: int
    newsletter: str
    size: int
    reason: str
    asked: datetime  #: when its last attempt began
    attempts: int  #: requests made for it so far; a decision holds for these
    lost: int  #: attempts whose answer was lost: 1, or more once it was sent again
    others_received: bool  #: events came of another batch that was sent no sooner


def reconcile(batch: UnknownBatch, *, now: datetime, quiet_period: timedelta) -> Reconciliation:
    """Return what the absence of events permits."""
    if now < batch.asked + quiet_period:
        return Reconciliation.WAIT
    if batch.others_received and batch.lost == 1:
        return Reconciliation.RESEND
    return Reconciliation.PERSON


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What to search Email Logs for: a batch is shown if a letter of one attempt is."""

    batch_id: int
    issue_id: int
    installation_id: str
    attempt_ids: frozenset[str]
    emails: tuple[str, ...]  #: of a few of its recipients, as they were written to
    since: datetime  #: when its first attempt began
    until: datetime  #: when its last one did


@dataclass(frozen=True)
class Shown:
    """Email Logs show this attempt: SendGrid accepted the whole request."""

    attempt_id: str


@dataclass(frozen=True)
class Absent:
    """Email Logs show no attempt of the batch, or not yet."""


@dataclass(frozen=True)
class Unavailable:
    """Email Logs gave no answer."""

    reason: str
    at_all: bool = True  #: for any batch now, not only for this one


Sighting = Shown | Absent | Unavailable


def reconcile_by_logs(
    batch: UnknownBatch,
    found: Sighting,
    *,
    others_shown: bool,
    now: datetime,
    patience: timedelta,
) -> Reconciliation:
    """Return what Email Logs permit; `others_shown`: a batch that was sent no sooner is there."""
    if isinstance(found, Shown):
        return Reconciliation.ACCEPTED
    absent = isinstance(found, Absent) and others_shown
    return reconcile(replace(batch, others_received=absent), now=now, quiet_period=patience)


def next_check(batch: UnknownBatch, last: datetime, patience: timedelta) -> datetime | None:
    """Return when to search Email Logs again after `last`; None once they reach back no further.

    The pauses grow with the batch's age; one search falls on the end of the patience.
    """
    if last > batch.asked + _STORED:
        return None
    due = last + min((last - batch.asked) / 4, _LONGEST_PAUSE)
    end = batch.asked + patience
    return min(due, end) if last < end else due
