"""Hearing the goodbyes that come as letters."""

from collections.abc import Mapping
from enum import StrEnum

from newsletter.core.publication import Newsletter
from newsletter.core.unsubscribe_mail import (
    MailedGoodbye,
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


class Heard(StrEnum):
    """What a letter to the goodbye address was taken for."""

    LINK = "link"  #: it bears the token of a letter's link
    ADDRESS = "address"  #: its proven sender asks to leave
    NOTHING = "nothing"  #: it names nobody we know, or proves nothing


class Farewells:
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

    def hear(self, letter: MailedGoodbye | None, *, trusted: bool) -> Heard:
        """Let a letter have its effect; None is one that could not be read.

        A token speaks for itself. What a letter says about its sender counts only when whoever
        brought it is `trusted`.
        """
        heard = self._hear(letter, trusted) if letter else Heard.NOTHING
        self._counters.add({f"goodbye_letters_{heard}": 1})
        return heard

    def _hear(self, letter: MailedGoodbye, trusted: bool) -> Heard:
        heard = [self._by_token(token) for token in tokens_of(letter)]
        if any(heard):
            return Heard.LINK
        if trusted and is_senders_own(letter) and asks_to_leave(letter):
            return self._by_address(letter)
        return Heard.NOTHING

    def _by_token(self, token: str) -> bool:
        now = self._clock.now()
        try:
            self._subscriptions.leave(token, self._newsletters, now=now, source=_SOURCE)
        except InvalidLink:
            return False
        return True

    def _by_address(self, letter: MailedGoodbye) -> Heard:
        """End what the sender has with the newsletters of the mailbox written to."""
        meant = {
            one.slug
            for one in self._newsletters.values()
            if mailbox(one.unsubscribe_email) in mailboxes_of(letter)
        }
        try:
            found = self._subscriptions.by_email(letter.sender)
        except NoSuchSubscriber:
            return Heard.NOTHING
        ids = [one.id for one in found if one.newsletter in meant]
        self._subscriptions.end(ids, now=self._clock.now(), source=_SOURCE)
        return Heard.ADDRESS if ids else Heard.NOTHING
