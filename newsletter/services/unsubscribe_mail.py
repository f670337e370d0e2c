"""Receives unsubscribe requests that come by mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.core.publication import Newsletter
from newsletter.core.unsubscribe_mail import (
    UnsubscribeMail,
    asks_to_unsubscribe,
    is_senders_own,
    mailbox,
    mailboxes_of,
    tokens_of,
)
from newsletter.ports import Clock
from newsletter.services.event_intake import Counters
from subscribers.errors import InvalidLink, NoSuchSubscriber
from subscribers.subscriptions.service import Subscriptions

_SOURCE = "mail to the unsubscribe address"


class UnsubscribeMailResult(StrEnum):
    """What a mail to the unsubscribe address was taken for."""

    LINK = "link"  #: it bears the token of a letter's link
    ADDRESS = "address"  #: its proven sender asks for it
    NOTHING = "nothing"  #: it names nobody we know, or proves nothing


@dataclass(eq=False)
class UnsubscribeByMail:
    """Unsubscribes people by the mails they send to a newsletter's unsubscribe address.

    It counts `unsubscribe_mails_link`, `unsubscribe_mails_address` and
    `unsubscribe_mails_nothing`.
    """

    newsletters: Mapping[str, Newsletter]
    subscriptions: Subscriptions
    clock: Clock
    counters: Counters

    def receive(self, mail: UnsubscribeMail | None, *, trusted: bool) -> UnsubscribeMailResult:
        """Apply a mail; None is one that could not be read.

        A token is proof enough. What a mail says about its sender counts only when whoever
        delivered it is `trusted`.
        """
        result = self._apply(mail, trusted) if mail else UnsubscribeMailResult.NOTHING
        self.counters.add({f"unsubscribe_mails_{result}": 1})
        return result

    def _apply(self, mail: UnsubscribeMail, trusted: bool) -> UnsubscribeMailResult:
        known = [self._by_token(token) for token in tokens_of(mail)]
        if any(known):
            return UnsubscribeMailResult.LINK
        if trusted and is_senders_own(mail) and asks_to_unsubscribe(mail):
            return self._by_address(mail)
        return UnsubscribeMailResult.NOTHING

    def _by_token(self, token: str) -> bool:
        now = self.clock.now()
        try:
            self.subscriptions.unsubscribe_by_link(token, self.newsletters, now=now, source=_SOURCE)
        except InvalidLink:
            return False
        return True

    def _by_address(self, mail: UnsubscribeMail) -> UnsubscribeMailResult:
        """End the sender's subscriptions to the newsletters of the mailbox written to."""
        meant = {
            one.slug
            for one in self.newsletters.values()
            if mailbox(one.unsubscribe_email) in mailboxes_of(mail)
        }
        try:
            found = self.subscriptions.by_email(mail.sender)
        except NoSuchSubscriber:
            return UnsubscribeMailResult.NOTHING
        ids = [one.id for one in found if one.newsletter in meant]
        self.subscriptions.unsubscribe(ids, now=self.clock.now(), source=_SOURCE)
        return UnsubscribeMailResult.ADDRESS if ids else UnsubscribeMailResult.NOTHING
