"""Hearing the goodbyes that come as letters."""

from collections.abc import Mapping
from enum import StrEnum

from newsletter.core.publication import Newsletter
from newsletter.core.unsubscribe_mail import (
    UnsubscribeMail,
    asks_to_leave,
    is_senders_own,
    mailbox,
    mailboxes_of,
    tokens_of,
)
from newsletter.ports import Clock
from newsletter.services.counters import Counters
from subscribers.errors import InvalidLink, NoSuchSubscriber
from subscribers.subscriptions.service import Subscriptions

_SOURCE = "mail to the goodbye address"


class UnsubscribeMailResult(StrEnum):
    """What a letter to the goodbye address was taken for."""

    LINK = "link"  #: it bears the token of a letter's link
    ADDRESS = "address"  #: its proven sender asks to leave
    NOTHING = "nothing"  #: it names nobody we know, or proves nothing


class UnsubscribeByMail:
    """The desk where letters to the goodbye address arrive.

    It counts `goodbye_letters_link`, `goodbye_letters_address` and `goodbye_letters_nothing`.
    """

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        subscriptions: Subscriptions,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._newsletters, self._subscriptions = newsletters, subscriptions
        self._clock, self._counters = clock, counters

    def hear(self, letter: UnsubscribeMail | None, *, trusted: bool) -> UnsubscribeMailResult:
        """Let a letter have its effect; None is one that could not be read.

        A token speaks for itself. What a letter says about its sender counts only when whoever
        brought it is `trusted`.
        """
        heard = self._hear(letter, trusted) if letter else UnsubscribeMailResult.NOTHING
        self._counters.add({f"goodbye_letters_{heard}": 1})
        return heard

    def _hear(self, letter: UnsubscribeMail, trusted: bool) -> UnsubscribeMailResult:
        heard = [self._by_token(token) for token in tokens_of(letter)]
        if any(heard):
            return UnsubscribeMailResult.LINK
        if trusted and is_senders_own(letter) and asks_to_leave(letter):
            return self._by_address(letter)
        return UnsubscribeMailResult.NOTHING

    def _by_token(self, token: str) -> bool:
        now = self._clock.now()
        try:
            self._subscriptions.leave(token, self._newsletters, now=now, source=_SOURCE)
        except InvalidLink:
            return False
        return True

    def _by_address(self, letter: UnsubscribeMail) -> UnsubscribeMailResult:
        """End what the sender has with the newsletters of the mailbox written to."""
        meant = {
            one.slug
            for one in self._newsletters.values()
            if mailbox(one.unsubscribe_email) in mailboxes_of(letter)
        }
        try:
            found = self._subscriptions.by_email(letter.sender)
        except NoSuchSubscriber:
            return UnsubscribeMailResult.NOTHING
        ids = [one.id for one in found if one.newsletter in meant]
        self._subscriptions.end(ids, now=self._clock.now(), source=_SOURCE)
        return UnsubscribeMailResult.ADDRESS if ids else UnsubscribeMailResult.NOTHING
