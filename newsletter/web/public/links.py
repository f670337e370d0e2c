"""What the pages behind the links in a letter share: the subscription that a link opens."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from newsletter.core.publication import Newsletter
from newsletter.web.dependencies import Services, WebServices
from subscribers.errors import InvalidLink
from subscribers.model import Frequency, Purpose, Subscription, SubscriptionStatus
from subscribers.tokens import make_token

_LONGEST_HEADER = 300  #: characters of a header that are stored as evidence
ACTOR = "subscriber"  #: recorded with what a reader changes here


@dataclass(frozen=True)
class OpenedLink:
    """A subscription, opened by one of its links."""

    newsletter: Newsletter
    subscription: Subscription
    now: datetime

    @property
    def has_ended(self) -> bool:
        return self.subscription.status is SubscriptionStatus.ENDED

    @property
    def is_undone(self) -> bool:
        """Return whether the import that added it was undone, before its subscriber acted."""
        return self.subscription.undone_at is not None

    @property
    def is_weekly(self) -> bool:
        return self.subscription.frequency is Frequency.WEEKLY

    @property
    def today(self) -> date:
        """Return the date where its subscriber lives."""
        return self._date(self.now)

    @property
    def is_paused(self) -> bool:
        return self.subscription.paused_at is not None

    @property
    def paused_until(self) -> date | None:
        """Return the date on which a pause ends; None if it has no end."""
        until = self.subscription.paused_until
        return self._date(until) if self.is_paused and until else None

    @property
    def unsubscribe_path(self) -> str:
        one = self.subscription
        return "/u/" + make_token(Purpose.UNSUBSCRIBE, one.id, one.link_key)

    @property
    def preferences_path(self) -> str:
        return preferences_path(self.subscription.id, self.subscription.link_key)

    def reloaded(self, services: WebServices) -> "OpenedLink":
        """Return the subscription as it is after a change."""
        return replace(self, subscription=services.subscriptions.by_id(self.subscription.id))

    def _date(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.subscription.zone)).date()


def ip_of(request: Request) -> str:
    """Return where a request came from; the server resolves a proxy on this machine."""
    return printable(request.client.host) if request.client else ""


def printable(header: str) -> str:
    """Return a header as it may be stored: one line of printable characters, not too long."""
    return "".join(one for one in header[:_LONGEST_HEADER] if one.isprintable())


def preferences_path(subscription_id: int, link_key: bytes) -> str:
    return "/p/" + make_token(Purpose.PREFERENCES, subscription_id, link_key)


@dataclass(frozen=True)
class _LinkFor:
    """Opens the link in a path's `token`, which must have been made for this purpose."""

    purpose: Purpose

    def __call__(self, token: str, services: Services) -> OpenedLink:
        subscription = services.subscriptions.by_token(self.purpose, token)
        if subscription.newsletter not in services.newsletters:
            raise InvalidLink
        newsletter = services.newsletters[subscription.newsletter]
        return OpenedLink(newsletter, subscription, services.now())


UnsubscribeLink = Annotated[OpenedLink, Depends(_LinkFor(Purpose.UNSUBSCRIBE))]
PreferencesLink = Annotated[OpenedLink, Depends(_LinkFor(Purpose.PREFERENCES))]
StillWantedLink = Annotated[OpenedLink, Depends(_LinkFor(Purpose.STILL_WANTED))]
