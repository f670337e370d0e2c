"""Readers as a program keeps them: it adds them, and changes what they chose, in their name."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from newsletter.core.publication import Newsletter
from newsletter.core.signup import SignUpForm
from newsletter.core.webhook import without_addresses
from newsletter.errors import ChangedMeanwhile, NotAllowed
from newsletter.ports import Clock
from newsletter.services.signup import SigningUp
from subscribers.errors import (
    ConcurrentChange,
    InvalidAddress,
    InvalidChoice,
    NoSuchSubscriber,
    NotAdded,
)
from subscribers.model import (
    NAME_LENGTH,
    Frequency,
    Subscription,
    SubscriptionStatus,
    TopicSet,
)
from subscribers.records.model import NewSubscriber, Person, SubscriptionEdit
from subscribers.records.service import Records, read_tag
from subscribers.signup.model import ConsentProof
from subscribers.signup.service import check_address
from subscribers.subscriptions.service import LONGEST_PAUSE, Subscriptions

_LEFT = "they have unsubscribed, which only they themselves can undo"


@dataclass(frozen=True, kw_only=True)
class ReaderChange(SubscriptionEdit):
    """What is to change of one subscription; None: that stays."""

    @property
    def is_choice(self) -> bool:
        """Return whether it is what only somebody has who still subscribes."""
        chosen = (self.topics, self.frequency, self.until)
        return self.resume or any(one is not None for one in chosen)


@dataclass(eq=False)
class ReaderKeeping:
    """Adds readers, and changes what is recorded of them; nobody who left is brought back."""

    newsletters: Mapping[str, Newsletter]
    records: Records
    subscriptions: Subscriptions
    signing_up: SigningUp
    clock: Clock

    def add(self, new: NewSubscriber, *, actor: str) -> int:
        """Subscribe somebody whose consent is proved by a statement; return their number.

        NotAllowed for whom an operator cannot add either; InvalidChoice names what is wrong.
        """
        self._refuse_fields(new)
        try:
            number = self.records.add(new, actor=actor, now=self.clock.now())
        except NotAdded as error:
            raise NotAllowed(without_addresses(str(error))) from None
        return self.subscriptions.by_id(number).subscriber_id

    def invite(self, new: NewSubscriber, *, actor: str) -> None:
        """Ask somebody by a letter to confirm that they want to subscribe.

        It is as if they had filled in the form; but who is not to be written to is not asked.
        """
        newsletter = self.newsletters[new.newsletter]
        self._refuse_fields(new)
        self._refuse_known(new)
        topics = None if new.topics == TopicSet.of(()) else tuple(sorted(new.topics.slugs))
        form = SignUpForm(email=new.email, name=new.name, topics=topics, zone=new.zone)
        proof = ConsentProof(via="JSON API", consent_text=new.statement, agent=actor)
        for field, sentence in self.signing_up.request(newsletter, form, proof).items():
            raise InvalidChoice(field, sentence)

    def change(
        self, read: Person, changes: Mapping[str, ReaderChange], *, name: str | None, actor: str
    ) -> None:
        """Change a reader's subscriptions, by newsletter, and their name: all of it, or nothing.

        ChangedMeanwhile where they are not as they were read; InvalidChoice names what is wrong.
        """
        of = {one.newsletter: one for one in read.subscriptions}
        for slug, change in changes.items():
            self._check(of[slug], change)
        try:
            self.records.change(read, changes, name=name, actor=actor, now=self.clock.now())
        except ConcurrentChange:
            raise ChangedMeanwhile from None

    def _check(self, one: Subscription, change: ReaderChange) -> None:
        place, newsletter = f"subscriptions/{one.newsletter}", self.newsletters[one.newsletter]
        if change.is_choice and one.status is SubscriptionStatus.ENDED:
            raise NotAllowed(_LEFT)
        if change.topics:
            _require_topics(newsletter, change.topics, f"{place}/topics")
        if change.frequency is Frequency.WEEKLY and newsletter.weekly is None:
            raise InvalidChoice(f"{place}/frequency", "there is no weekly digest")
        if change.zone is not None:
            _require_zone(change.zone, f"{place}/time_zone")
        _require_tags(change.tags or (), f"{place}/tags")
        if change.until is not None:
            self._require_day(change.until, change.zone or one.zone, f"{place}/paused_until")

    def _require_day(self, until: date, zone: str, place: str) -> None:
        today = self.clock.now().astimezone(ZoneInfo(zone)).date()
        if not today < until <= today + LONGEST_PAUSE:
            raise InvalidChoice(place, "choose a day after today, and within a year")

    def _refuse_fields(self, new: NewSubscriber) -> None:
        try:
            check_address(new.email)
        except InvalidAddress as error:
            raise InvalidChoice("email", str(error)) from None
        if not new.statement.strip():
            raise InvalidChoice("consent", "say where this reader's consent came from")
        if len(new.name) > NAME_LENGTH or not new.name.isprintable():
            raise InvalidChoice("name", f"a name has at most {NAME_LENGTH} characters, on one line")
        _require_topics(self.newsletters[new.newsletter], new.topics, "topics")
        _require_zone(new.zone, "time_zone")

    def _refuse_known(self, new: NewSubscriber) -> None:
        """Raise NotAllowed for whom a letter would not reach, or should not."""
        if self.records.erased_at(new.email):
            raise NotAllowed("this address was erased; only its owner can sign up again")
        if found := self.subscriptions.suppression(new.email):
            raise NotAllowed(f"this address must not be written to: {found.reason}")
        for one in self._known(new.email):
            if one.newsletter == new.newsletter and one.undone_at is None:
                ended = one.status is SubscriptionStatus.ENDED
                raise NotAllowed(_LEFT if ended else "this address is subscribed already")

    def _known(self, email: str) -> tuple[Subscription, ...]:
        try:
            return self.subscriptions.by_email(email)
        except NoSuchSubscriber:
            return ()


def _require_topics(newsletter: Newsletter, topics: TopicSet, place: str) -> None:
    unknown = sorted(topics.slugs - {*newsletter.topic_slugs, *TopicSet.of(()).slugs})
    if unknown:
        raise InvalidChoice(place, f"there is no topic {unknown[0]!r}")


def _require_zone(zone: str, place: str) -> None:
    if zone not in zoneinfo.available_timezones():
        raise InvalidChoice(place, f"there is no time zone {zone!r}")


def _require_tags(tags: tuple[str, ...], place: str) -> None:
    for tag in tags:
        try:
            read_tag(tag)
        except InvalidChoice as error:
            raise InvalidChoice(place, str(error)) from None
