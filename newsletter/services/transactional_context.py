"""Looks up what a transactional email says, again just before it is sent."""

from datetime import UTC, datetime, timedelta

from newsletter.core.delivery import Recipient
from newsletter.core.issue import Issue
from newsletter.core.mailing import envelope_of, personal
from newsletter.core.publication import Newsletter
from newsletter.core.transactional import (
    AUTOMATIC,
    LatestIssue,
    TransactionalContext,
    TransactionalEmail,
    TransactionalKind,
)
from newsletter.stores.issues import IssueStore
from subscribers.errors import NoSuchSubscription
from subscribers.model import Frequency, Purpose, Subscription, SubscriptionStatus, TopicSet
from subscribers.signup.model import AddressChange, SignUp
from subscribers.signup.service import SignUps
from subscribers.subscriptions.service import Subscriptions
from subscribers.tokens import make_token

_HEADLINES = 5  #: of the latest issue, in a welcome
_HOUR = timedelta(hours=1)
_DAYS_FROM = 48  #: hours; a longer time is given in days


class TransactionalContexts:
    """Builds the context and the headers of a transactional email from what is stored now."""

    def __init__(
        self,
        *,
        subscriptions: Subscriptions,
        signups: SignUps,
        issues: IssueStore,
        base_url: str,
    ) -> None:
        self._subscriptions, self._signups = subscriptions, signups
        self._issues, self._base_url = issues, base_url

    def context(
        self, email: TransactionalEmail, newsletter: Newsletter, now: datetime
    ) -> TransactionalContext | None:
        """Return what the email says to whom; None when there is nobody left to write to."""
        match email.kind:
            case TransactionalKind.CONFIRMATION:
                signup = self._signups.find(email.refers)
                return self._confirmation(signup, newsletter, now) if signup else None
            case TransactionalKind.ADDRESS:
                change = self._signups.address_change(email.refers)
                return self._address(change, now) if change else None
            case _:
                return self._about_subscription(email, newsletter)

    def headers(self, context: TransactionalContext, newsletter: Newsletter) -> dict[str, str]:
        """Return the email's headers: with List-Unsubscribe where there is a subscription."""
        subscription = context.subscription
        if subscription is None:
            return AUTOMATIC
        envelope = envelope_of(newsletter, self._base_url)
        reader = Recipient(
            delivery_id=0,
            email=context.email,
            subscription_id=subscription.id,
            link_key=subscription.link_key,
        )
        return AUTOMATIC | envelope.headers | personal(envelope, reader).headers

    def _confirmation(
        self, signup: SignUp, newsletter: Newsletter, now: datetime
    ) -> TransactionalContext | None:
        if signup.expires_at <= now:
            return None
        return TransactionalContext(
            kind=TransactionalKind.CONFIRMATION,
            email=signup.email,
            links={"confirm": self._link("c", Purpose.CONFIRM, signup)},
            lasts=_in_words(signup.expires_at - now),
            topics=_titles(newsletter, signup.topics),
            weekly=signup.frequency is Frequency.WEEKLY,
        )

    def _address(self, change: AddressChange, now: datetime) -> TransactionalContext | None:
        if change.expires_at <= now:
            return None
        return TransactionalContext(
            kind=TransactionalKind.ADDRESS,
            email=change.email,
            links={"confirm": self._link("a", Purpose.ADDRESS, change)},
            lasts=_in_words(change.expires_at - now),
        )

    def _about_subscription(
        self, email: TransactionalEmail, newsletter: Newsletter
    ) -> TransactionalContext | None:
        try:
            subscription = self._subscriptions.by_id(email.refers)
        except NoSuchSubscription:
            return None
        if not self._may_be_written_to(subscription) or _is_answered(email, subscription):
            return None
        return TransactionalContext(
            kind=email.kind,
            email=subscription.email,
            links={
                "still_wanted": self._link("k", Purpose.STILL_WANTED, subscription),
                "preferences": self._link("p", Purpose.PREFERENCES, subscription),
                "unsubscribe": self._link("u", Purpose.UNSUBSCRIBE, subscription),
            },
            subscription=subscription,
            topics=_titles(newsletter, subscription.topics),
            weekly=subscription.frequency is Frequency.WEEKLY,
            latest=self._latest(email, newsletter),
        )

    def _may_be_written_to(self, subscription: Subscription) -> bool:
        ended = subscription.status is SubscriptionStatus.ENDED
        return not ended and self._subscriptions.suppression(subscription.email) is None

    def _latest(self, email: TransactionalEmail, newsletter: Newsletter) -> LatestIssue | None:
        wanted = email.kind is TransactionalKind.WELCOME and newsletter.signup.welcome_issue
        published = self._issues.published(newsletter.slug, 1) if wanted else ()
        return _latest(published[0].issue, self._base_url) if published else None

    def _link(
        self, path: str, purpose: Purpose, signed: SignUp | AddressChange | Subscription
    ) -> str:
        return f"{self._base_url}/{path}/{make_token(purpose, signed.id, signed.link_key)}"


def _is_answered(email: TransactionalEmail, subscription: Subscription) -> bool:
    """Return whether the reader has answered by now: paused, said yes, or opened a letter since."""
    if email.kind is not TransactionalKind.STILL_WANTED:
        return False
    asked, engaged = subscription.asked_at, subscription.engaged_on
    if asked is None or subscription.paused_at is not None:
        return True
    return engaged is not None and engaged >= asked.astimezone(UTC).date()


def _latest(issue: Issue, base_url: str) -> LatestIssue:
    printed = tuple(entry.brief.title for entry in issue.entries)
    return LatestIssue(
        url=f"{base_url}/{issue.newsletter}/{issue.date}",
        on=issue.date,
        headlines=printed[:_HEADLINES],
    )


def _titles(newsletter: Newsletter, topics: TopicSet) -> tuple[str, ...]:
    """Return the titles of the topics chosen; none where that is everything."""
    return tuple(topic.title for topic in newsletter.topics if topic.slug in topics.slugs)


def _in_words(lasts: timedelta) -> str:
    hours = max(round(lasts / _HOUR), 1)
    if hours >= _DAYS_FROM:
        return f"{round(hours / 24)} days"
    return f"{hours} hours" if hours > 1 else "one hour"
