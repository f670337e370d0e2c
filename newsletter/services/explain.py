"""Explains why someone did or did not get an issue."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.core.delivery import DeliveryState
from newsletter.core.events import CONSEQUENCES, EventKind
from newsletter.core.issue_totals import DeliveryRecord
from newsletter.core.letter_release import LetterRelease
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.letter_release import LetterReleaseStore
from subscribers.errors import NoSuchSubscriber
from subscribers.model import Subscription, Suppression
from subscribers.subscriptions.service import Subscriptions


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why someone did, or did not, get an issue."""

    email: str
    issue: StoredIssue | None
    subscription: Subscription | None
    suppression: Suppression | None
    record: DeliveryRecord | None
    sentence: str


@dataclass(eq=False)
class Explaining:
    """Answers why: looks up what happened, and says it in one sentence."""

    issues: IssueStore
    deliveries: DeliveryStore
    releases: LetterReleaseStore
    subscriptions: Subscriptions

    def why(self, newsletter: Newsletter, email: str, on: date) -> Explanation:
        """Return what happened to this address's letter of a date, in a sentence and in detail."""
        stored = self.issues.find(newsletter.slug, on)
        subscription = self._subscription(newsletter, email)
        record = None
        if stored and subscription:
            record = self.deliveries.trace(subscription.subscriber_id, stored.id)
        released = self.releases.release_of(stored.id) if stored and not record else None
        suppression = self.subscriptions.suppression(email)
        return Explanation(
            email=email,
            issue=stored,
            subscription=subscription,
            suppression=suppression,
            record=record,
            sentence=sentence(
                newsletter,
                on,
                stored,
                subscription,
                record,
                suppression=suppression,
                released=released,
            ),
        )

    def _subscription(self, newsletter: Newsletter, email: str) -> Subscription | None:
        try:
            found = self.subscriptions.by_email(email)
        except NoSuchSubscriber:
            return None
        return next((one for one in found if one.newsletter == newsletter.readers.newsletter), None)


_EXCLUDED = {
    "suppressed": "the address is on the suppression list",
    "ended": "the subscription had ended",
    "paused": "the subscription was paused",
    "other_frequency": "they chose to be written to at another frequency",
    "outside_segment": "the issue went to a segment they were not in",
    "no_story": "nothing in the issue was about the topics they chose",
    "cancelled": "the issue was cancelled before this letter was sent",
    "stale": "its news was no longer fresh when it could have been sent",
    "cancelled_after_request": "the issue was cancelled",
    "stale_after_request": "its news was no longer fresh",
}

_BATCH_STATES = {
    "planned": "It is planned and waits for a worker.",
    "claimed": "A worker is sending it now.",
    "accepted": "SendGrid accepted it.",
    "refused": "SendGrid refused it: {reason}.",
    "unknown": "SendGrid's answer was lost ({reason}); it is not sent again without evidence.",
    "void": "Nobody in its batch could still be written to.",
}

_LOST_BEFORE = "It was requested, and SendGrid's answer was lost, so it may have been sent."

#: How the letter stands; before any of these was reported, its batch says all.
_STATES = {
    DeliveryState.DEFERRED: "The recipient's server asked SendGrid to try again later.",
    DeliveryState.DELIVERED: "The recipient's server took it.",
    DeliveryState.OPENED: "It was opened.",
    DeliveryState.CLICKED: "A link in it was followed.",
    DeliveryState.DROPPED: "SendGrid dropped it: {reason}.",
    DeliveryState.BLOCKED: "The recipient's server refused it this time: {reason}.",
    DeliveryState.BOUNCED: "The recipient's server refused it for good: {reason}.",
    DeliveryState.UNSUBSCRIBED: "The recipient unsubscribed.",
    DeliveryState.COMPLAINED: "The recipient called it spam.",
}


def sentence(
    newsletter: Newsletter,
    on: date,
    stored: StoredIssue | None,
    subscription: Subscription | None,
    record: DeliveryRecord | None,
    *,
    suppression: Suppression | None = None,
    released: LetterRelease | None = None,
) -> str:
    if subscription is None:
        return f"This address has no subscription to {newsletter.name}, so it gets nothing."
    if stored is None:
        return f"{newsletter.name} has no issue of {on}."
    if stored.state is IssueStatus.MISSED:
        return f"Nobody got the issue of {on}; it was {stored.reason}."
    if stored.planned_at is None:
        return f"The issue of {on} is {stored.state}; who gets it is not planned yet."
    if released:
        return f"{released.sentence} What became of one letter of it is no longer known."
    if record is None:
        return f"The subscription came after the issue of {on} was planned."
    if record.exclusion:
        return f"Not sent: {_EXCLUDED.get(record.exclusion, record.exclusion)}."
    return " ".join(_sentences(record, suppression))


def _sentences(record: DeliveryRecord, suppression: Suppression | None) -> Iterator[str]:
    """Yield how the letter stands, then how it came to that."""
    if record.skipped:
        reason = _EXCLUDED.get(record.skipped, record.skipped)
        if record.may_be_sent:
            yield f"{_LOST_BEFORE} It was not requested again: {reason}."
        else:
            yield f"Planned, and skipped at the last moment: {reason}."
        return
    if record.refused:
        yield f"SendGrid refused this recipient: {record.refused}."
        return
    if words := _STATES.get(record.state):
        yield words.format(reason=_reason(record))
    if suppression:
        yield f"The address is on the suppression list now ({suppression.reason})."
    sent = _BATCH_STATES[record.batch_state or "planned"]
    yield sent.format(reason=record.batch_reason or "no reason given")
    if (times := record.times_accepted) > 1:
        yield f"It was accepted in {times} requests, so it was sent {times} times."
    if record.events and not _shows(record.events[-1], record.state):
        last = record.events[-1]
        yield f"The last report, of {last['at']:%Y-%m-%d %H:%M %Z}: {_worded(last['kind'])}."


def _reason(record: DeliveryRecord) -> str:
    """Return the reason that came with the last event that shows the letter's state."""
    shown = [event for event in record.events if _shows(event, record.state)]
    said = (shown[-1]["reason"] or shown[-1]["response"]) if shown else None
    return str(said or "no reason given").rstrip(".")


def _shows(event: dict[str, Any], state: DeliveryState) -> bool:
    return CONSEQUENCES[EventKind(event["kind"])].state is state


def _worded(kind: str) -> str:
    return kind.replace("_", " ")
