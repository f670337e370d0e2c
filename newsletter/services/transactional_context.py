"""Looks up what a transactional email says, again just before it is sent."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from newsletter.core.delivery import Recipient
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
_DAYS_FROM = 48  #: hours; a longer time is given in days


@dataclass(eq=False)
class TransactionalContexts:
    """Builds the context and the headers of a transactional email from what is stored now."""

    subscriptions: Subscriptions
    signups: SignUps
    issues: IssueStore
    base_url: str
    names: Mapping[str, str]  #: of the newsletters, by slug

    def context(
        self, email: TransactionalEmail, newsletter: Newsletter, now: datetime
    ) -> TransactionalContext | None:
        """Return what the email says to whom; None when there is nobody left to write to."""
        match email.kind:
            case TransactionalKind.CONFIRMATION:
                signup = self.signups.find(email.refers)
                return self._confirmation(signup, newsletter, now) if signup else None
            case TransactionalKind.ADDRESS:
                change = self.signups.address_change(email.refers)
                return change and self._to_confirm(email.kind, change, ("a", Purpose.ADDRESS), now)
            case _:
                return self._about_subscription(email, newsletter)

    def addressee(self, kind: TransactionalKind, refers: int) -> bytes:
        """Return the mark of the address that an email would go to; empty where there is none."""
        asked = self._asked(kind, refers)
        return self.signups.mark_of(asked.email) if asked else b""

    def is_for(self, email: TransactionalEmail, context: TransactionalContext) -> bool:
        """Return whether the email goes to the address that it was asked for."""
        return email.addressee == self.signups.mark_of(context.email)

    def _asked(
        self, kind: TransactionalKind, refers: int
    ) -> SignUp | AddressChange | Subscription | None:
        match kind:
            case TransactionalKind.CONFIRMATION:
                return self.signups.find(refers)
            case TransactionalKind.ADDRESS:
                return self.signups.address_change(refers)
            case _:
                with suppress(NoSuchSubscription):
                    return self.subscriptions.by_id(refers)
                return None

    def headers(self, context: TransactionalContext, newsletter: Newsletter) -> dict[str, str]:
        """Return the email's headers: with List-Unsubscribe where there is a subscription."""
        subscription = context.subscription
        if subscription is None:
            return AUTOMATIC
        envelope = envelope_of(newsletter, self.base_url)
        reader = Recipient(0, context.email, subscription.id, subscription.link_key)
        return AUTOMATIC | envelope.headers | personal(envelope, reader).headers

    def _confirmation(
        self, signup: SignUp, newsletter: Newsletter, now: datetime
    ) -> TransactionalContext | None:
        link = ("c", Purpose.CONFIRM)
        context = self._to_confirm(TransactionalKind.CONFIRMATION, signup, link, now)
        weekly = signup.frequency is Frequency.WEEKLY
        topics = _titles(newsletter, signup.topics)
        return context and replace(context, topics=topics, weekly=weekly)

    def _to_confirm(
        self,
        kind: TransactionalKind,
        asked: SignUp | AddressChange,
        link: tuple[str, Purpose],
        now: datetime,
    ) -> TransactionalContext | None:
        if asked.expires_at <= now:
            return None
        links = {"confirm": self._link(*link, asked)}
        lasts = _in_words(asked.expires_at - now)
        return TransactionalContext(kind=kind, email=asked.email, links=links, lasts=lasts)

    def _about_subscription(
        self, email: TransactionalEmail, newsletter: Newsletter
    ) -> TransactionalContext | None:
        try:
            subscription = self.subscriptions.by_id(email.refers)
        except NoSuchSubscription:
            return None
        ended = subscription.status is SubscriptionStatus.ENDED
        if ended or self.subscriptions.suppression(subscription.email):
            return None
        if email.kind is TransactionalKind.STILL_WANTED and _is_answered(subscription):
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
            elsewhere=self._elsewhere(email, subscription),
        )

    def _elsewhere(
        self, email: TransactionalEmail, subscription: Subscription
    ) -> tuple[tuple[str, str], ...]:
        """Return the reader's other newsletters with their preferences, where links were asked."""
        if email.kind is not TransactionalKind.LINK:
            return ()
        return tuple(
            (self.names[one.newsletter], self._link("p", Purpose.PREFERENCES, one))
            for one in self.subscriptions.by_email(subscription.email)
            if one.newsletter in self.names
            and one.id != subscription.id
            and one.status is SubscriptionStatus.ACTIVE
        )

    def _latest(self, email: TransactionalEmail, newsletter: Newsletter) -> LatestIssue | None:
        wanted = email.kind is TransactionalKind.WELCOME and newsletter.signup.welcome_issue
        for stored in self.issues.published(newsletter.slug, 1) if wanted else ():
            url = f"{self.base_url}/{newsletter.slug}/{stored.issue.date}"
            titles = tuple(entry.brief.title for entry in stored.issue.entries)
            return LatestIssue(url=url, on=stored.issue.date, headlines=titles[:_HEADLINES])
        return None

    def _link(
        self, path: str, purpose: Purpose, signed: SignUp | AddressChange | Subscription
    ) -> str:
        return f"{self.base_url}/{path}/{make_token(purpose, signed.id, signed.link_key)}"


def _is_answered(subscription: Subscription) -> bool:
    """Return whether the reader has answered by now: paused, said yes, or opened a letter since."""
    asked, engaged = subscription.asked_at, subscription.engaged_on
    if asked is None or subscription.paused_at is not None:
        return True
    return engaged is not None and engaged >= asked.astimezone(UTC).date()


def _titles(newsletter: Newsletter, topics: TopicSet) -> tuple[str, ...]:
    """Return the titles of the topics chosen; none where that is everything."""
    return tuple(topic.title for topic in newsletter.topics if topic.slug in topics.slugs)


def _in_words(lasts: timedelta) -> str:
    hours = max(round(lasts / timedelta(hours=1)), 1)
    if hours >= _DAYS_FROM:
        return f"{round(hours / 24)} days"
    return f"{hours} hours" if hours > 1 else "one hour"
