"""What a letter to one person says, looked up anew before it leaves: its reader may be gone."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

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
_DAYS_FROM = 48  #: hours that are told in days


class _Signed(Protocol):
    """Something whose links are signed."""

    @property
    def id(self) -> int: ...

    @property
    def link_key(self) -> bytes: ...


class TransactionalContexts:
    """The desk that knows where a letter goes."""

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

    def matter(
        self, errand: TransactionalEmail, newsletter: Newsletter, now: datetime
    ) -> TransactionalContext | None:
        """Return what the letter says to whom; None when there is nobody left to write to."""
        match errand.kind:
            case TransactionalKind.CONFIRMATION:
                signup = self._signups.find(errand.refers)
                return self._confirmation(signup, newsletter, now) if signup else None
            case TransactionalKind.ADDRESS:
                change = self._signups.address_change(errand.refers)
                return self._address(change, now) if change else None
            case _:
                return self._standing(errand, newsletter)

    def headers(self, matter: TransactionalContext, newsletter: Newsletter) -> dict[str, str]:
        """Return the headers of such a letter: a goodbye, where there is something to leave."""
        subscription = matter.subscription
        if subscription is None:
            return AUTOMATIC
        envelope = envelope_of(newsletter, self._base_url)
        reader = Recipient(
            delivery_id=0,
            email=matter.email,
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
            lasts=_told(signup.expires_at - now),
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
            lasts=_told(change.expires_at - now),
        )

    def _standing(
        self, errand: TransactionalEmail, newsletter: Newsletter
    ) -> TransactionalContext | None:
        try:
            subscription = self._subscriptions.by_id(errand.refers)
        except NoSuchSubscription:
            return None
        if not self._may_be_written_to(subscription) or _is_answered(errand, subscription):
            return None
        return TransactionalContext(
            kind=errand.kind,
            email=subscription.email,
            links={
                "keep": self._link("k", Purpose.KEEP, subscription),
                "preferences": self._link("p", Purpose.PREFERENCES, subscription),
                "unsubscribe": self._link("u", Purpose.UNSUBSCRIBE, subscription),
            },
            subscription=subscription,
            topics=_titles(newsletter, subscription.topics),
            weekly=subscription.frequency is Frequency.WEEKLY,
            latest=self._latest(errand, newsletter),
        )

    def _may_be_written_to(self, subscription: Subscription) -> bool:
        left = subscription.status is SubscriptionStatus.ENDED
        return not left and self._subscriptions.suppressed(subscription.email) is None

    def _latest(self, errand: TransactionalEmail, newsletter: Newsletter) -> LatestIssue | None:
        wanted = errand.kind is TransactionalKind.WELCOME and newsletter.signup.welcome_issue
        published = self._issues.published(newsletter.slug, 1) if wanted else ()
        return _latest(published[0].issue, self._base_url) if published else None

    def _link(self, door: str, purpose: Purpose, signed: _Signed) -> str:
        return f"{self._base_url}/{door}/{make_token(purpose, signed.id, signed.link_key)}"


def _is_answered(errand: TransactionalEmail, subscription: Subscription) -> bool:
    """Tell whether a question is none any more: its reader paused, kept it, or read since."""
    if errand.kind is not TransactionalKind.STILL_WANTED:
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


def _told(lasts: timedelta) -> str:
    hours = max(round(lasts / _HOUR), 1)
    if hours >= _DAYS_FROM:
        return f"{round(hours / 24)} days"
    return f"{hours} hours" if hours > 1 else "one hour"
