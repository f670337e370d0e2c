"""Handles sign-ups, from the form to the welcome, and address changes until they are confirmed."""

import zoneinfo
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache

from newsletter.core.publication import Newsletter
from newsletter.core.signup import (
    SignUpForm,
    SignUpRules,
    chosen_topics,
    consent_text,
    form_faults,
)
from newsletter.core.transactional import TransactionalKind
from newsletter.errors import NotFound
from newsletter.ports import Clock
from newsletter.services.transactional import TransactionalSender
from newsletter.stores.events import EventStore
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


class SigningUp:
    """Checks sign-up forms, stores sign-ups, confirms them and queues the emails they need."""

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        signups: SignUps,
        subscriptions: Subscriptions,
        transactional: TransactionalSender,
        events: EventStore,
        is_disposable: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._newsletters, self._signups = newsletters, signups
        self._subscriptions, self._transactional = subscriptions, transactional
        self._events, self._is_disposable, self._clock = events, is_disposable, clock

    def newsletter(self, slug: str) -> Newsletter:
        """Return the newsletter people can sign up for under this slug; NotFound if none."""
        found = self._newsletters.get(slug)
        if found is None or not found.signup.open or found.readers.newsletter != slug:
            raise NotFound("there is no sign-up for such a newsletter")
        return found

    def request(
        self, newsletter: Newsletter, form: SignUpForm, evidence: ConsentProof
    ) -> Mapping[str, str]:
        """Store a sign-up as it was typed; return what is wrong with the form, by field.

        The answer is the same whoever's address it is, so that nobody can try out addresses.
        """
        if faults := self._faults(newsletter, form):
            return faults
        wanted = Wanted(
            newsletter=newsletter.slug,
            email=form.email.strip(),
            topics=TopicSet.of(chosen_topics(newsletter.topic_slugs, form.topics)),
            zone=form.zone or newsletter.timetable.zone,
            frequency=Frequency(form.frequency),
            name=form.name.strip(),
        )
        rules = newsletter.signup
        requested = self._signups.request(
            wanted,
            evidence,
            _limits(rules),
            lasts=timedelta(hours=rules.confirm_hours),
            now=self._clock.now(),
        )
        self._queue(newsletter, requested)
        return {}

    def resend_confirmation(self, newsletter: Newsletter, email: str, ip: str) -> None:
        """Send the confirmation once more, if this address waits for one."""
        limits, now = _limits(newsletter.signup), self._clock.now()
        requested = self._signups.resend(newsletter.slug, email, limits, ip=ip, now=now)
        self._queue(newsletter, requested)

    def opened(self, token: str) -> tuple[Newsletter, SignUp | Confirmed]:
        """Return what a confirmation link opens; raise InvalidLink."""
        found = self._signups.by_token(token, now=self._clock.now())
        return self._known(found.newsletter), found

    def confirm(self, token: str, evidence: ConsentProof) -> tuple[Newsletter, Subscription]:
        """Confirm a sign-up and queue its welcome; confirming again changes nothing."""
        done = self._signups.confirm(token, evidence, now=self._clock.now())
        newsletter = self._known(done.newsletter)
        if done.now:
            self._events.forgive_soft_bounces(done.subscriber_id)
            if newsletter.signup.welcome:
                self._transactional.queue(
                    TransactionalKind.WELCOME, newsletter.slug, done.subscription_id
                )
        return newsletter, self._subscriptions.by_id(done.subscription_id)

    def request_address_change(self, subscription: Subscription, email: str) -> None:
        """Ask at a new address whether its owner is this subscriber. Raises InvalidAddress."""
        now = self._clock.now()
        change = self._signups.request_address_change(subscription.subscriber_id, email, now=now)
        if change is not None:
            self._transactional.queue(TransactionalKind.ADDRESS, subscription.newsletter, change)

    def address_opened(self, token: str) -> AddressChange:
        """Return what the link in a new address's letter opens; raise InvalidLink."""
        return self._signups.address_change_by_token(token, now=self._clock.now())

    def confirm_address(self, token: str) -> tuple[Subscription, ...]:
        """Change a subscriber's address to the one they confirmed; return their subscriptions.

        A subscriber who had that address before is the same person, and is merged.
        """
        change = self.address_opened(token)
        self._signups.change_address(change, now=self._clock.now())
        return self._subscriptions.by_email(change.email)

    def delete_unconfirmed(self) -> int:
        """Delete the sign-ups nobody confirmed in time; return how many."""
        kept_for = {
            slug: timedelta(days=newsletter.signup.unconfirmed_days)
            for slug, newsletter in self._newsletters.items()
        }
        return self._signups.delete_expired(kept_for, now=self._clock.now())

    def _faults(self, newsletter: Newsletter, form: SignUpForm) -> dict[str, str]:
        weekly = newsletter.weekly is not None
        faults = dict(form_faults(newsletter.topic_slugs, form, _zones(), weekly=weekly))
        try:
            domain = check_address(form.email)
        except InvalidAddress as error:
            reason = str(error).removeprefix("not an address: ").removesuffix(".")
            return {"email": f"Please look at the address again: {reason}."} | faults
        if newsletter.signup.refuse_disposable and self._is_disposable(domain):
            return {"email": "Please give an address that you keep."} | faults
        return faults

    def _queue(self, newsletter: Newsletter, requested: SignUpRequested) -> None:
        if requested.signup_id is not None:
            kind = TransactionalKind.CONFIRMATION
            self._transactional.queue(kind, newsletter.slug, requested.signup_id)
        elif requested.subscription_id is not None:
            kind = TransactionalKind.ALREADY
            self._transactional.queue(kind, newsletter.slug, requested.subscription_id)

    def _known(self, slug: str) -> Newsletter:
        if slug not in self._newsletters:
            raise InvalidLink
        return self._newsletters[slug]


def consent_text_of(newsletter: Newsletter) -> str:
    """Return the text that people agree to when they sign up for a newsletter."""
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
