"""The verbs of this house: look up, say goodbye, choose, suppress."""

import zoneinfo
from collections.abc import Collection, Container, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from subscribers.addresses import email_key, read_address
from subscribers.errors import (
    InvalidChoice,
    InvalidLink,
    NoSuchSubscriber,
    NoSuchSubscription,
    NoSuchSuppression,
    NotLifted,
)
from subscribers.model import (
    AudienceCounts,
    Change,
    Choices,
    ConsentAct,
    Frequency,
    LinkKey,
    Purpose,
    Subscription,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.ports import SubscriberStore
from subscribers.rules.suppression import LADDER, OWNERS_WORD
from subscribers.tokens import check_token, read_token

NAME_LENGTH = 200  #: characters of a subscriber's name, as in a list
WORDS_LENGTH = 500  #: characters of what somebody says who leaves
LONGEST_PAUSE = timedelta(days=366)  #: a longer one is a goodbye


class Subscriptions:
    """Who may be written to, and about what."""

    def __init__(self, store: SubscriberStore) -> None:
        self._store = store

    def by_id(self, subscription_id: int) -> Subscription:
        """Return the subscription of this number; raise NoSuchSubscription."""
        found = self._store.subscription(subscription_id)
        if found is None:
            raise NoSuchSubscription
        return found

    def by_email(self, email: str) -> tuple[Subscription, ...]:
        """Return the subscriptions of an address, at least one; raise NoSuchSubscriber."""
        found = self._store.subscriptions_of(email_key(email))
        if not found:
            raise NoSuchSubscriber
        return found

    def by_token(self, purpose: Purpose, token: str) -> Subscription:
        """Return the subscription a link opens for this purpose; raise InvalidLink."""
        signed = read_token(token)
        found = self._store.subscription(signed.subscription_id)
        if found is None:
            raise InvalidLink
        check_token(purpose, signed, found.link_key)
        return found if found.merged_into_id is None else self.by_id(found.merged_into_id)

    def leave(self, token: str, newsletters: Container[str], *, now: datetime, source: str) -> str:
        """Hear the goodbye a link says; return of which newsletter; raise InvalidLink.

        The shortest way: mail programs say goodbye for many at once, and wait for the answer.
        """
        signed = read_token(token)

        def allow(found: LinkKey | None) -> str:
            if found is None or found.newsletter not in newsletters:
                raise InvalidLink
            check_token(Purpose.UNSUBSCRIBE, signed, found.link_key)
            return found.newsletter

        return self._store.act_by_link(
            signed.subscription_id, ConsentAct.WITHDRAWN, allow, at=now, source=source
        )

    def end(self, subscription_ids: Collection[int], *, now: datetime, source: str) -> int:
        """Hear goodbyes; return how many are new. One that was heard before changes nothing."""
        return self._store.act(subscription_ids, ConsentAct.WITHDRAWN, at=now, source=source)

    def resume(self, subscription_id: int, *, now: datetime, source: str) -> Subscription:
        """Take a goodbye back, for the subscriber; a suppressed address stays suppressed."""
        self._store.act([subscription_id], ConsentAct.RESUMED, at=now, source=source)
        return self.by_id(subscription_id)

    def choose_topics(
        self, subscription_id: int, topics: TopicSet, *, now: datetime, source: str
    ) -> Subscription:
        """Keep a subscriber's choice of topics; an ended subscription stays ended."""
        self._store.choose(subscription_id, topics, at=now, source=source)
        return self.by_id(subscription_id)

    def choose(
        self, subscription_id: int, chosen: Choices, *, now: datetime, source: str, actor: str
    ) -> Subscription:
        """Keep all that a subscriber chose, or, raising InvalidChoice, nothing of it."""
        name, zone = _plain(chosen.name), _known(chosen.zone)
        self.set_frequency(subscription_id, chosen.frequency, now=now, actor=actor)
        self.rename(subscription_id, name, now=now, actor=actor)
        self.move(subscription_id, zone, now=now, actor=actor)
        return self.choose_topics(subscription_id, chosen.topics, now=now, source=source)

    def set_frequency(
        self, subscription_id: int, frequency: Frequency, *, now: datetime, actor: str
    ) -> bool:
        """Keep how often a subscriber wants to hear; False if that is no change."""
        to = frequency.value
        return self._store.change(subscription_id, Change.FREQUENCY, to, at=now, actor=actor)

    def move(self, subscription_id: int, zone: str, *, now: datetime, actor: str) -> bool:
        """Keep a subscriber's time zone; False if that is no change; raise InvalidChoice."""
        return self._store.change(subscription_id, Change.ZONE, _known(zone), at=now, actor=actor)

    def rename(self, subscription_id: int, name: str, *, now: datetime, actor: str) -> bool:
        """Keep a subscriber's name; False if that is no change; raise InvalidChoice."""
        return self._store.change(subscription_id, Change.NAME, _plain(name), at=now, actor=actor)

    def pause(self, subscription: Subscription, until: date, *, now: datetime, actor: str) -> bool:
        """Send nothing until a date begins where the subscriber lives; raise InvalidChoice."""
        zone = ZoneInfo(subscription.zone)
        today = now.astimezone(zone).date()
        if not today < until <= today + LONGEST_PAUSE:
            raise InvalidChoice("until", "Choose a day after today, and within a year.")
        moment = datetime.combine(until, time(), zone)
        return self._store.change(subscription.id, Change.PAUSED, moment, at=now, actor=actor)

    def unpause(self, subscription_id: int, *, now: datetime, actor: str) -> bool:
        """End a pause; False if there is none."""
        return self._store.change(subscription_id, Change.UNPAUSED, None, at=now, actor=actor)

    def say_why(
        self, subscription_id: int, reason: str, words: str, *, now: datetime, actor: str
    ) -> bool:
        """Keep why a subscriber left, once after each goodbye; raise InvalidChoice."""
        said = {"reason": reason, "words": words.replace("\0", "").strip()}
        if len(said["words"]) > WORDS_LENGTH:
            raise InvalidChoice("words", f"There is room for {WORDS_LENGTH} characters.")
        return self._store.change(subscription_id, Change.REASON, said, at=now, actor=actor)

    def suppress(self, suppressions: Iterable[Suppression]) -> int:
        """Stop writing to addresses; return for how many that is new or for a weightier reason."""
        return self._store.suppress(suppressions)

    def suppress_address(self, said: Suppression) -> Suppression:
        """Stop writing to one address, for a person; return what stands; raise InvalidAddress."""
        read_address(said.email)
        self._store.suppress([said])
        return self.suppressed(said.email) or said

    def suppressed(self, email: str) -> Suppression | None:
        """Return why an address must not be written to; None when it may."""
        return self._store.suppression(email_key(email))

    def lift(self, email: str, *, now: datetime, even_complaint: bool = False) -> Suppression:
        """Take an address off the suppression list, and return what stood there.

        News from before now is answered by this, and does not put it back. Raises
        NoSuchSuppression, and NotLifted for what the address's owner said, unless even that is to
        be lifted. A subscription that ended stays ended.
        """
        stands = self.suppressed(email)
        if stands is None:
            raise NoSuchSuppression
        reasons = [r for r in LADDER if even_complaint or r not in OWNERS_WORD]
        lifted = self._store.lift(stands.email, reasons, at=now)
        if lifted is None:
            raise NotLifted
        return lifted

    def suppressions(
        self, *, reason: SuppressionReason | None = None, part: str = "", limit: int = 100
    ) -> tuple[Suppression, ...]:
        """Return suppressions, the latest first: of a reason, with this part in the address."""
        return self._store.suppressions(reason, part.strip().lower(), limit)

    def suppression_counts(self) -> Mapping[SuppressionReason, int]:
        """Count the suppression list by reason; every reason is there."""
        return self._store.suppression_counts()

    def engage(self, subscription_ids: Collection[int], day: date) -> int:
        """Keep the last day of a human open or click, which only moves on; return how many did."""
        return self._store.engage(subscription_ids, day) if subscription_ids else 0

    def wake(self, now: datetime) -> int:
        """End the pauses that are over; return how many."""
        return self._store.wake(now)

    def counts(self, newsletter: str) -> AudienceCounts:
        """Count the newsletter's subscriptions by how they stand."""
        return self._store.counts(newsletter)


def _plain(name: str) -> str:
    plain = " ".join(name.split())
    if len(plain) > NAME_LENGTH or not plain.isprintable():
        said = f"A name has at most {NAME_LENGTH} characters, and none that cannot be seen."
        raise InvalidChoice("name", said)
    return plain


def _known(zone: str) -> str:
    if zone not in zoneinfo.available_timezones():
        raise InvalidChoice("zone", "Choose a time zone from the list.")
    return zone
