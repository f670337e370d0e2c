"""Answering people's questions: how an issue stands, and why someone did or did not get it."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.issue_totals import DeliveryRecord, IssueTotals
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


class Explaining:
    """The desk that answers."""

    def __init__(
        self, *, issues: IssueStore, deliveries: DeliveryStore, subscriptions: Subscriptions
    ) -> None:
        self._issues, self._deliveries = issues, deliveries
        self._subscriptions = subscriptions

    def account(self, filed: StoredIssue) -> IssueTotals:
        """Return all sums of an issue."""
        return self._deliveries.account(filed.id)

    def why(self, newsletter: Newsletter, email: str, on: date) -> Explanation:
        """Say what happened to this address's letter of a date, in one sentence and in detail."""
        filed = self._issues.find(newsletter.slug, on)
        subscription = self._subscription(newsletter, email)
        record = None
        if filed and subscription:
            record = self._deliveries.trace(subscription.subscriber_id, filed.id)
        return Explanation(
            email=email,
            issue=filed,
            subscription=subscription,
            suppression=self._subscriptions.suppressed(email),
            record=record,
            sentence=sentence(newsletter, on, filed, subscription, record),
        )

    def _subscription(self, newsletter: Newsletter, email: str) -> Subscription | None:
        try:
            found = self._subscriptions.by_email(email)
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
    "cancelled": "the issue was cancelled before this letter left",
    "stale": "its news was no longer fresh when it could have left",
}

_STANDING = {
    "planned": "It is planned and waits for a worker.",
    "claimed": "A worker is sending it now.",
    "accepted": "SendGrid accepted it.",
    "refused": "SendGrid refused it: {reason}.",
    "unknown": "SendGrid's answer was lost ({reason}); it is not sent again without evidence.",
    "void": "Nobody in its batch was left to write to.",
}

_LAST_EVENT = {
    "delivered": "The recipient's server took it.",
    "bounced": "The recipient's server refused it: {reason}.",
    "soft_bounced": "The recipient's server refused it this time: {reason}.",
    "blocked": "The recipient's server refused it this time: {reason}.",
    "dropped": "SendGrid dropped it: {reason}.",
    "deferred": "The recipient's server said to come later.",
    "complained": "The recipient called it spam.",
    "opened": "It was opened.",
    "clicked": "A link in it was followed.",
    "unsubscribed": "The recipient unsubscribed.",
}


def sentence(
    newsletter: Newsletter,
    on: date,
    filed: StoredIssue | None,
    subscription: Subscription | None,
    record: DeliveryRecord | None,
) -> str:
    """Say it so that anybody understands."""
    if subscription is None:
        return f"This address has no subscription to {newsletter.name}, so it gets nothing."
    if filed is None:
        return f"{newsletter.name} has no issue of {on}."
    if filed.state is IssueStatus.MISSED:
        return f"Nobody got the issue of {on}; it was {filed.reason}."
    if filed.planned_at is None:
        return f"The issue of {on} is {filed.state}; who gets it is not planned yet."
    if record is None:
        return f"The subscription came after the issue of {on} was planned."
    if record.exclusion:
        return f"Not sent: {_EXCLUDED.get(record.exclusion, record.exclusion)}."
    return " ".join(_told(record))


def _told(record: DeliveryRecord) -> list[str]:
    if record.skipped:
        said = _EXCLUDED.get(record.skipped, record.skipped)
        return [f"Planned, and left out at the last moment: {said}."]
    if record.refused:
        return [f"SendGrid refused this recipient: {record.refused}."]
    standing = _STANDING[record.batch_state or "planned"]
    told = [standing.format(reason=record.batch_reason or "no reason given")]
    for event in record.events[::-1]:
        if event["kind"] in _LAST_EVENT:
            reason = event["reason"] or event["response"] or "no reason given"
            return [*told, _LAST_EVENT[event["kind"]].format(reason=reason)]
    return told
