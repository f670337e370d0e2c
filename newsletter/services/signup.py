"""Handles sign-ups, from the form to the welcome, and address changes until they are confirmed."""

import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from newsletter.core.publication import Newsletter
from newsletter.core.signup import (
    SignUpForm,
    SignUpRules,
    chosen_topics,
    form_faults,
)
from newsletter.core.transactional import TransactionalKind
from newsletter.errors import NotFound
from newsletter.ports import Clock
from newsletter.services.transactional import TransactionalSender
from newsletter.stores.events import EventStore
from subscribers.errors import InvalidAddress, InvalidLink
from subscribers.model import Choices, Frequency, Subscription, TopicSet
from subscribers.signup.model import (
    AddressChange,
    AddressChangeRequested,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpLimits,
    SignUpRequested,
    strictest,
)
from subscribers.signup.service import SignUps, check_address
from subscribers.subscriptions.service import Subscriptions


@dataclass(eq=False)
class SigningUp:
    """Checks sign-up forms, stores sign-ups, confirms them and queues the emails they need."""

    newsletters: Mapping[str, Newsletter]
    signups: SignUps
    subscriptions: Subscriptions
    transactional: TransactionalSender
    events: EventStore
    is_disposable: Callable[[str], bool]
    clock: Clock

    def newsletter(self, slug: str) -> Newsletter:
        """Return the newsletter people can sign up for under this slug; NotFound if none."""
        found = self.newsletters.get(slug)
        if found is None or not found.signup.open or found.readers.newsletter != slug:
            raise NotFound("there is no sign-up for this newsletter")
        return found

    def request(
        self, newsletter: Newsletter, form: SignUpForm, evidence: ConsentProof
    ) -> Mapping[str, str]:
        """Store a sign-up as it was typed; return what is wrong with the form, by field.

        The answer is the same whoever's address it is, so that nobody can try out addresses.
        """
        faults = self._faults(newsletter, form)
        try:
            address = check_address(form.email)
        except InvalidAddress as error:
            reason = str(error).removeprefix("not an address: ").removesuffix(".")
            return {"email": f"Please check the address: {reason}."} | faults
        if self._is_refused(newsletter, address.key):
            reason = "Please use a permanent address, not a disposable one."
            return {"email": reason} | faults
        if faults:
            return faults
        choices = Choices(
            topics=TopicSet.of(chosen_topics(newsletter.topic_slugs, form.topics)),
            zone=form.zone or newsletter.timetable.zone,
            frequency=Frequency(form.frequency),
            name=form.name.strip(),
        )
        proof, limits = replace(evidence, email=form.email.strip()), _limits(newsletter.signup)
        lasts, now = timedelta(hours=newsletter.signup.confirm_hours), self.clock.now()
        requested = self.signups.request(
            newsletter.slug, address, choices, proof, limits, lasts=lasts, now=now
        )
        self._queue(newsletter, requested)
        return {}

    def resend_confirmation(self, newsletter: Newsletter, email: str, ip: str) -> None:
        limits, now = _limits(newsletter.signup), self.clock.now()
        requested = self.signups.resend(newsletter.slug, email, limits, ip=ip, now=now)
        self._queue(newsletter, requested)

    def request_link(self, email: str, ip: str) -> None:
        """Mail the links to who lost them; nobody is told whether there was anybody to mail.

        Raises InvalidAddress, and TooManyRequests where a network asked too often.
        """
        lasts = {
            slug: timedelta(hours=one.signup.confirm_hours)
            for slug, one in self.newsletters.items()
        }
        rules, now = [one.signup for one in self.newsletters.values()], self.clock.now()
        limits = strictest(map(_limits, rules))
        requested = self.signups.request_link(email, limits, lasts, ip=ip, now=now)
        if requested.signup_id is not None:
            signup = self.signups.find(requested.signup_id)
            if signup:
                self._queue(self._known(signup.newsletter), requested)
        elif requested.subscription_id is not None:
            slug = self.subscriptions.by_id(requested.subscription_id).newsletter
            self.transactional.queue(TransactionalKind.LINK, slug, requested.subscription_id)

    def opened(self, token: str) -> tuple[Newsletter, SignUp | Confirmed]:
        """Return what a confirmation link opens; raise InvalidLink."""
        found = self.signups.by_token(token, now=self.clock.now())
        return self._known(found.newsletter), found

    def confirm(self, token: str, evidence: ConsentProof) -> tuple[Newsletter, Confirmed]:
        """Confirm a sign-up and queue its welcome; confirming again changes nothing."""
        now = self.clock.now()
        done = self.signups.confirm(token, evidence, now=now)
        newsletter = self._known(done.newsletter)
        if done.now:
            self.events.forgive_soft_bounces(done.subscriber_id)
            wanted = newsletter.signup.welcome
            if wanted and self.signups.may_welcome(done.subscription_id, now=now):
                kind, slug = TransactionalKind.WELCOME, newsletter.slug
                self.transactional.queue(kind, slug, done.subscription_id)
        return newsletter, done

    def request_address_change(
        self, subscription: Subscription, email: str, ip: str = ""
    ) -> AddressChangeRequested:
        """Ask at a new address whether its owner is this subscriber.

        Raises InvalidAddress, and TooManyRequests for a subscriber or a network that asks too
        often: then the change that was asked for before still waits.
        """
        limits = _limits(self._known(subscription.newsletter).signup)
        requested = self.signups.request_address_change(
            subscription.subscriber_id, email, limits, ip=ip, now=self.clock.now()
        )
        if requested.change_id is not None:
            kind, slug = TransactionalKind.ADDRESS, subscription.newsletter
            self.transactional.queue(kind, slug, requested.change_id)
        return requested

    def address_opened(self, token: str) -> AddressChange:
        """Return what the link in a new address's letter opens; raise InvalidLink."""
        return self.signups.address_change_by_token(token, now=self.clock.now())

    def confirm_address(self, token: str) -> tuple[Subscription, ...]:
        """Change a subscriber's address to the one they confirmed; return their subscriptions.

        A subscriber who had that address before is the same person, and is merged.
        """
        change = self.address_opened(token)
        self.signups.change_address(change, now=self.clock.now())
        return self.subscriptions.by_email(change.email)

    def delete_unconfirmed(self) -> int:
        """Delete the sign-ups nobody confirmed in time; return how many."""
        days = {slug: one.signup.unconfirmed_days for slug, one in self.newsletters.items()}
        kept_for = {slug: timedelta(days=count) for slug, count in days.items()}
        return self.signups.delete_expired(kept_for, now=self.clock.now())

    def _faults(self, newsletter: Newsletter, form: SignUpForm) -> dict[str, str]:
        weekly = newsletter.weekly is not None
        return dict(form_faults(newsletter.topic_slugs, form, _zones(), weekly=weekly))

    def _is_refused(self, newsletter: Newsletter, key: str) -> bool:
        return newsletter.signup.refuse_disposable and self.is_disposable(key.rpartition("@")[2])

    def _queue(self, newsletter: Newsletter, requested: SignUpRequested) -> None:
        queue, slug = self.transactional.queue, newsletter.slug
        if requested.signup_id is not None:
            queue(TransactionalKind.CONFIRMATION, slug, requested.signup_id)
        elif requested.subscription_id is not None:
            queue(TransactionalKind.ALREADY, slug, requested.subscription_id)

    def _known(self, slug: str) -> Newsletter:
        if slug not in self.newsletters:
            raise InvalidLink
        return self.newsletters[slug]


def _limits(rules: SignUpRules) -> SignUpLimits:
    return SignUpLimits(
        pause=timedelta(minutes=rules.address_pause_minutes),
        mails_a_day=rules.address_mails_a_day,
        signups_an_hour=rules.network_signups_an_hour,
        address_changes_a_day=rules.address_changes_a_day,
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
