"""What the pages behind a letter's links share: who opened them, and what they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from newsletter.core.publication import Newsletter
from subscribers.errors import InvalidLink
from subscribers.model import Frequency, Purpose, Subscription, SubscriptionStatus
from subscribers.subscriptions.service import Subscriptions
from subscribers.tokens import make_token

ACTOR = "subscriber"  #: who changed something, on record


@dataclass(frozen=True)
class OpenedLink:
    """A subscription, opened by a link of its own."""

    newsletter: Newsletter
    subscription: Subscription
    now: datetime

    @property
    def has_ended(self) -> bool:
        """Tell whether its subscriber has left."""
        return self.subscription.status is SubscriptionStatus.ENDED

    @property
    def taken_back(self) -> bool:
        """Tell whether an undone import had added it, and its subscriber said nothing yet."""
        return self.subscription.undone_at is not None

    @property
    def is_weekly(self) -> bool:
        """Tell whether its subscriber wants the weekly digest."""
        return self.subscription.frequency is Frequency.WEEKLY

    @property
    def today(self) -> date:
        """Return the date where its subscriber lives."""
        return self._date(self.now)

    @property
    def paused(self) -> bool:
        """Tell whether letters are held back for a while."""
        return self.subscription.paused_at is not None

    @property
    def back_on(self) -> date | None:
        """Return when a pause is over; None when there is no such date."""
        until = self.subscription.paused_until
        return self._date(until) if self.paused and until else None

    @property
    def goodbye(self) -> str:
        """Return the path of its goodbye page."""
        return "/u/" + self._token(Purpose.UNSUBSCRIBE)

    @property
    def preferences(self) -> str:
        """Return the path of its preference page."""
        return "/p/" + self._token(Purpose.PREFERENCES)

    def _date(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.subscription.zone)).date()

    def _token(self, purpose: Purpose) -> str:
        return make_token(purpose, self.subscription.id, self.subscription.link_key)


@dataclass(frozen=True)
class LinkOpener:
    """Where a letter's links are checked."""

    newsletters: Mapping[str, Newsletter]
    desk: Subscriptions
    now: Callable[[], datetime]

    def open(self, purpose: Purpose, token: str) -> OpenedLink:
        """Return what a link opens for this purpose; raise InvalidLink."""
        subscription = self.desk.by_token(purpose, token)
        if subscription.newsletter not in self.newsletters:
            raise InvalidLink
        return OpenedLink(self.newsletters[subscription.newsletter], subscription, self.now())
