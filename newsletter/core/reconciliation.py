"""Reconciliation: what may be done about an unknown batch, and on which evidence.

An event of one of its attempts proves the batch accepted; so do SendGrid's Email Logs when they
show one. That nothing is found counts only once another batch, sent no sooner, is found there.
See docs/decisions/absence-permits-one-resend.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_STORED = timedelta(days=30)  #: how far back Email Logs reach
_LONGEST_PAUSE = timedelta(hours=6)

_RETRIED = timedelta(hours=24)  #: SendGrid posts events again for so long
_REPAIRED = timedelta(hours=12)  #: a line mended later may have missed the last of its tries
_LOOKED_BACK = timedelta(hours=48)  #: whatever was broken before that is over
_PARTS = 5  #: events must come in every part of the quiet period


class Reconciliation(StrEnum):
    """What is to be done about an unknown batch now."""

    ACCEPTED = "accepted"  #: Email Logs show one of its attempts
    WAIT = "wait"  #: it is too early to say
    RESEND = "resend"  #: no event, while others came throughout: one re-send is permitted
    HELD = "held"  #: the line of events was broken: the re-send waits; a person may decide sooner
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
class WebhookLine:
    """What was seen of the line on which events come, by the time they arrived here."""

    received: tuple[datetime, ...]  #: posts that brought events of this installation, in order
    failed: tuple[datetime, ...]  #: posts that were refused or could not be stored
    #: From when until when processes could receive them, without a break, by the beginning.
    alive: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, order=True)
class Flaw:
    """Why the line may have been broken, and when that was over."""

    over: datetime
    why: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is to be done about an unknown batch now; why it is held, and until when."""

    reconciliation: Reconciliation
    why: str = ""
    until: datetime | None = None


def quiet_part(quiet_period: timedelta) -> timedelta:
    """Return the longest gap between posts of a line that counts as whole."""
    return quiet_period / _PARTS


def seen_every(quiet_period: timedelta) -> timedelta:
    """Return how often a process that receives events says so; three times missed are a break."""
    return max(min(quiet_period / 20, timedelta(seconds=30)), timedelta(seconds=1))


def looked_back(asked: datetime, now: datetime) -> datetime:
    """Return from when on the line counts for a batch."""
    return max(asked, now - _LOOKED_BACK)


def flaws(
    line: WebhookLine, since: datetime, until: datetime, quiet_period: timedelta
) -> Iterator[Flaw]:
    """Yield whatever may have kept events from coming between two moments."""
    for moment in line.failed:
        if since <= moment <= until:
            yield Flaw(moment, f"a post to the webhook failed at {_minute(moment)}")
    received = [moment for moment in line.received if since <= moment <= until]
    for before, after in zip([since, *received], [*received, until], strict=True):
        if after - before > quiet_part(quiet_period):
            yield Flaw(after, f"no events came from {_minute(before)} to {_minute(after)}")
    yield from _deaths(line, since, until, 3 * seen_every(quiet_period))


def _deaths(
    line: WebhookLine, since: datetime, until: datetime, pause: timedelta
) -> Iterator[Flaw]:
    seen = since
    for began, ended in line.alive:
        if ended < seen or began > until:
            continue
        if began > seen:
            yield Flaw(began, f"nothing received events from {_minute(seen)} to {_minute(began)}")
        seen = ended
    if seen + pause < until:
        yield Flaw(until, f"nothing received events from {_minute(seen)} to {_minute(until)}")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def reconcile_on_line(
    batch: UnknownBatch, line: WebhookLine, *, now: datetime, quiet_period: timedelta
) -> Judgement:
    """Return what the absence of events permits, as far as the line they come on was whole.

    Events are missed when the line is broken, and SendGrid posts them again for a day, the newest
    perhaps first. So a flaw since the request holds the re-send for a day after it, also one that
    came when the quiet period was over: the event may have been late, and its post held up by it.
    """
    found = reconcile(batch, now=now, quiet_period=quiet_period)
    if found is not Reconciliation.RESEND:
        return Judgement(reconciliation=found)
    start = looked_back(batch.asked, now)
    last = max(flaws(line, start, now, quiet_period), default=None)
    if last is None and start == batch.asked:
        return Judgement(reconciliation=Reconciliation.RESEND)
    last = last or Flaw(start, "")
    if last.over > batch.asked + _REPAIRED:
        return Judgement(reconciliation=Reconciliation.PERSON, why=last.why)
    until = last.over + _RETRIED
    held = Reconciliation.HELD if now < until else Reconciliation.RESEND
    return Judgement(reconciliation=held, why=last.why, until=until)


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


def absent_from_both(
    batch: UnknownBatch,
    line: WebhookLine,
    found: Sighting,
    *,
    others_shown: bool,
    now: datetime,
    confirmed: timedelta,
) -> bool:
    """Return whether events and Email Logs both lack a batch, and both have others sent no sooner.

    Two kinds of evidence permit after `confirmed` what events alone permit after a quiet period.
    """
    if not confirmed or not isinstance(found, Absent) or not others_shown:
        return False
    by_events = reconcile_on_line(batch, line, now=now, quiet_period=confirmed)
    return by_events.reconciliation is Reconciliation.RESEND


def next_check(batch: UnknownBatch, last: datetime, patience: timedelta) -> datetime | None:
    """Return when to search Email Logs again after `last`; None once they reach back no further.

    The pauses grow with the batch's age; one search falls on the end of the patience.
    """
    if last > batch.asked + _STORED:
        return None
    due = last + min((last - batch.asked) / 4, _LONGEST_PAUSE)
    end = batch.asked + patience
    return min(due, end) if last < end else due
