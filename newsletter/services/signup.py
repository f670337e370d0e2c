"""Signing up, from the form to the welcome; and a new address, from the wish to the move."""

import zoneinfo
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Protocol

from newsletter.core.publication import Newsletter
from newsletter.core.signup import (
    SignUpRules,
    Typed,
    chosen_topics,
    consent_text,
    form_faults,
)
from newsletter.core.transactional import TransactionalKind
from newsletter.errors import NotFound
from newsletter.ports import Clock
from subscribers.errors import InvalidAddress, InvalidLink
from subscribers.model import Frequency, Subscription, TopicSet
from subscribers.signup.model import (
    AddressChange,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpLimits,
    SignUpRequested,
    Wanted,
)
from subscribers.signup.service import SignUps, check_address
from subscribers.subscriptions.service import Subscriptions


class Writer(Protocol):
    """Writes letters to one person."""

    def write(self, kind: TransactionalKind, newsletter: str, refers: int) -> None:
        """Write down a letter; it leaves soon."""
        ...


class SigningUp:
    """The desk between the sign-up page and the lists."""

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        signups: SignUps,
        subscriptions: Subscriptions,
        writer: Writer,
        forgive: Callable[[int], object],
        is_disposable: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._newsletters, self._signups = newsletters, signups
        self._subscriptions, self._writer = subscriptions, writer
        self._forgive = forgive  #: begins to count a reader's soft bounces anew
        self._is_disposable, self._clock = is_disposable, clock

    def newsletter(self, slug: str) -> Newsletter:
        """Return the newsletter people can sign up for under this slug; NotFound if none."""
        found = self._newsletters.get(slug)
        if found is None or not found.signup.open or found.readers.newsletter != slug:
            raise NotFound("there is no sign-up for such a newsletter")
        return found

    def ask(
        self, newsletter: Newsletter, typed: Typed, evidence: ConsentProof
    ) -> Mapping[str, str]:
        """Hear who filled in a form; return what is wrong with it, by field.

        Whatever becomes of it, and whoever's address it is, nothing else is told.
        """
        faults = self._faults(newsletter, typed)
        if faults:
            return faults
        wanted = Wanted(
            newsletter=newsletter.slug,
            email=typed.email.strip(),
            topics=TopicSet.of(chosen_topics(newsletter, typed.topics)),
            zone=typed.zone or newsletter.timetable.zone,
            frequency=Frequency(typed.frequency),
            name=typed.name.strip(),
        )
        rules = newsletter.signup
        asked = self._signups.ask(
            wanted,
            evidence,
            _limits(rules),
            lasts=timedelta(hours=rules.confirm_hours),
            now=self._clock.now(),
        )
        self._write(newsletter, asked)
        return {}

    def again(self, newsletter: Newsletter, email: str, ip: str) -> None:
        """Mail once more to who asked and did not get it, if there is anything to mail."""
        limits, now = _limits(newsletter.signup), self._clock.now()
        asked = self._signups.again(newsletter.slug, email, limits, ip=ip, now=now)
        self._write(newsletter, asked)

    def opened(self, token: str) -> tuple[Newsletter, SignUp | Confirmed]:
        """Return what a confirmation link opens; raise InvalidLink."""
        found = self._signups.by_token(token, now=self._clock.now())
        return self._known(found.newsletter), found

    def confirm(self, token: str, evidence: ConsentProof) -> tuple[Newsletter, Subscription]:
        """Make a sign-up true, and welcome who confirmed; a repeat is a success and no more."""
        done = self._signups.confirm(token, evidence, now=self._clock.now())
        newsletter = self._known(done.newsletter)
        if done.now:
            self._forgive(done.subscriber_id)
            if newsletter.signup.welcome:
                self._writer.write(TransactionalKind.WELCOME, newsletter.slug, done.subscription_id)
        return newsletter, self._subscriptions.by_id(done.subscription_id)

    def ask_address(self, subscription: Subscription, email: str) -> None:
        """Ask at a new address whether its owner is this subscriber. Raises InvalidAddress."""
        now = self._clock.now()
        change = self._signups.ask_address(subscription.subscriber_id, email, now=now)
        if change is not None:
            self._writer.write(TransactionalKind.ADDRESS, subscription.newsletter, change)

    def address_opened(self, token: str) -> AddressChange:
        """Return what the link in a new address's letter opens; raise InvalidLink."""
        return self._signups.address_by_token(token, now=self._clock.now())

    def confirm_address(self, token: str) -> tuple[Subscription, ...]:
        """Move a subscriber to the address they confirmed; return their subscriptions.

        Whoever subscribed there before is the same person, and is merged.
        """
        change = self.address_opened(token)
        self._signups.move(change, now=self._clock.now())
        return self._subscriptions.by_email(change.email)

    def sweep(self) -> int:
        """Delete what nobody confirmed in time; return how many sign-ups."""
        kept_for = {
            slug: timedelta(days=newsletter.signup.unconfirmed_days)
            for slug, newsletter in self._newsletters.items()
        }
        return self._signups.sweep(kept_for, now=self._clock.now())

    def _faults(self, newsletter: Newsletter, typed: Typed) -> dict[str, str]:
        faults = dict(
            form_faults(newsletter, typed, _zones(), weekly=newsletter.weekly is not None)
        )
        try:
            domain = check_address(typed.email)
        except InvalidAddress as error:
            said = str(error).removeprefix("not an address: ")
            return {
                "email": f"Please look at the address again: {said.removesuffix('.')}."
            } | faults
        if newsletter.signup.refuse_disposable and self._is_disposable(domain):
            return {"email": "Please give an address that you keep."} | faults
        return faults

    def _write(self, newsletter: Newsletter, asked: SignUpRequested) -> None:
        if asked.signup_id is not None:
            kind = TransactionalKind.CONFIRMATION
            self._writer.write(kind, newsletter.slug, asked.signup_id)
        elif asked.subscription_id is not None:
            kind = TransactionalKind.ALREADY
            self._writer.write(kind, newsletter.slug, asked.subscription_id)

    def _known(self, slug: str) -> Newsletter:
        if slug not in self._newsletters:
            raise InvalidLink
        return self._newsletters[slug]


def agreed(newsletter: Newsletter) -> str:
    """Return what who signs up for a newsletter agrees to."""
    return consent_text(newsletter.signup, newsletter.name)


def _limits(rules: SignUpRules) -> SignUpLimits:
    return SignUpLimits(
        pause=timedelta(minutes=rules.address_pause_minutes),
        mails_a_day=rules.address_mails_a_day,
        signups_an_hour=rules.network_signups_an_hour,
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
