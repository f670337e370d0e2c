"""Explains why someone did or did not get an issue."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.issue_totals import DeliveryRecord
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issues import IssueStore
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
    subscriptions: Subscriptions

    def why(self, newsletter: Newsletter, email: str, on: date) -> Explanation:
        """Return what happened to this address's letter of a date, in a sentence and in detail."""
        stored = self.issues.find(newsletter.slug, on)
        subscription = self._subscription(newsletter, email)
        record = None
        if stored and subscription:
            record = self.deliveries.trace(subscription.subscriber_id, stored.id)
        return Explanation(
            email=email,
            issue=stored,
            subscription=subscription,
            suppression=self.subscriptions.suppression(email),
            record=record,
            sentence=sentence(newsletter, on, stored, subscription, record),
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

_LAST_EVENT = {
    "delivered": "The recipient's server took it.",
    "bounced": "The recipient's server refused it: {reason}.",
    "soft_bounced": "The recipient's server refused it this time: {reason}.",
    "blocked": "The recipient's server refused it this time: {reason}.",
    "dropped": "SendGrid dropped it: {reason}.",
    "deferred": "The recipient's server asked SendGrid to try again later.",
    "complained": "The recipient called it spam.",
    "opened": "It was opened.",
    "clicked": "A link in it was followed.",
    "unsubscribed": "The recipient unsubscribed.",
}


def sentence(
    newsletter: Newsletter,
    on: date,
    stored: StoredIssue | None,
    subscription: Subscription | None,
    record: DeliveryRecord | None,
) -> str:
    if subscription is None:
        return f"This address has no subscription to {newsletter.name}, so it gets nothing."
    if stored is None:
        return f"{newsletter.name} has no issue of {on}."
    if stored.state is IssueStatus.MISSED:
        return f"Nobody got the issue of {on}; it was {stored.reason}."
    if stored.planned_at is None:
        return f"The issue of {on} is {stored.state}; who gets it is not planned yet."
    if record is None:
        return f"The subscription came after the issue of {on} was planned."
    if record.exclusion:
        return f"Not sent: {_EXCLUDED.get(record.exclusion, record.exclusion)}."
    return " ".join(_sentences(record))


def _sentences(record: DeliveryRecord) -> list[str]:
    if record.skipped:
        reason = _EXCLUDED.get(record.skipped, record.skipped)
        if record.may_be_sent:
            return [f"{_LOST_BEFORE} It was not requested again: {reason}."]
        return [f"Planned, and skipped at the last moment: {reason}."]
    if record.refused:
        return [f"SendGrid refused this recipient: {record.refused}."]
    sent = _BATCH_STATES[record.batch_state or "planned"]
    sentences = [sent.format(reason=record.batch_reason or "no reason given")]
    if (times := record.times_accepted) > 1:
        sentences.append(f"It was accepted in {times} requests, so it was sent {times} times.")
    for event in record.events[::-1]:
        if event["kind"] in _LAST_EVENT:
            reason = event["reason"] or event["response"] or "no reason given"
            return [*sentences, _LAST_EVENT[event["kind"]].format(reason=reason)]
    return sentences
