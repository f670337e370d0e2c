"""Subscriptions and the suppression list: look up, unsubscribe, choose, suppress."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from subscribers.addresses import email_key, read_address
from subscribers.db.consent import apply_consent
from subscribers.db.pending import apply_all_pending, apply_pending, unsubscribe
from subscribers.db.statements import topic_set_id
from subscribers.db.suppressions import (
    lift,
    suppress,
    suppression_counts,
    suppression_of,
    suppressions,
)
from subscribers.db.transaction import autocommit, execute, rows, transaction
from subscribers.errors import (
    InvalidChoice,
    InvalidLink,
    NoSuchSubscriber,
    NoSuchSubscription,
    NoSuchSuppression,
    SuppressionNotLifted,
)
from subscribers.model import (
    AudienceCounts,
    Change,
    Choices,
    ConsentAct,
    Frequency,
    Purpose,
    Subscription,
    Suppression,
    SuppressionReason,
    TopicSet,
    TopicSetCount,
)
from subscribers.rules.suppression import LADDER, OWNER_REASONS
from subscribers.subscriptions.choices import CHANGES, CHOOSE_TOPICS, known_zone, plain_name
from subscribers.subscriptions.engagement import record_engagement
from subscribers.subscriptions.links import unsubscribe_by_links
from subscribers.subscriptions.reading import (
    known_addresses,
    subscription_by_id,
    subscriptions_of,
)
from subscribers.subscriptions.topic_set_counts import count_topic_sets, topic_sets
from subscribers.tokens import check_token, read_token

REASON_LENGTH = 500  #: characters of what somebody writes who leaves
LONGEST_PAUSE = timedelta(days=366)  #: a longer one is an unsubscribe

# Locked in the one order of all writers of this table.
_END_EXPIRED_PAUSES = """
UPDATE subscription SET paused_at = NULL, paused_until = NULL
WHERE id IN (
    SELECT id FROM subscription WHERE paused_at IS NOT NULL AND paused_until <= %(now)s
    ORDER BY id FOR NO KEY UPDATE
)
"""

_COUNTS = """
SELECT count(*) FILTER (WHERE exclusion IS NULL) AS mailable,
       count(*) FILTER (WHERE exclusion = 'suppressed') AS suppressed,
       count(*) FILTER (WHERE exclusion = 'ended') AS ended,
       count(*) FILTER (WHERE exclusion = 'paused') AS paused
FROM audience WHERE newsletter = %(newsletter)s
"""


class Subscriptions:
    """Looks up and changes subscriptions and the suppression list."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def by_id(self, subscription_id: int) -> Subscription:
        """Return the subscription of this number; raise NoSuchSubscription."""
        found = self._find(subscription_id)
        if found is None:
            raise NoSuchSubscription
        return found

    def _find(self, subscription_id: int) -> Subscription | None:
        with autocommit(self._engine) as connection:
            return subscription_by_id(connection, subscription_id)

    def by_email(self, email: str) -> tuple[Subscription, ...]:
        """Return the subscriptions of an address, at least one; raise NoSuchSubscriber."""
        with autocommit(self._engine) as connection:
            found = subscriptions_of(connection, email_key(email))
        if not found:
            raise NoSuchSubscriber
        return found

    def by_token(self, purpose: Purpose, token: str) -> Subscription:
        """Return the subscription a link opens for this purpose; raise InvalidLink."""
        signed = read_token(token)
        found = self._find(signed.subscription_id)
        if found is None:
            raise InvalidLink
        check_token(purpose, signed, found.link_key)
        return found if found.merged_into_id is None else self.by_id(found.merged_into_id)

    def unsubscribe_by_link(
        self, token: str, newsletters: Container[str], *, now: datetime, source: str
    ) -> str:
        """Unsubscribe who a link belongs to; return from which newsletter; raise InvalidLink."""
        [slug] = self.unsubscribe_by_links([token], newsletters, now=now, source=source)
        if slug is None:
            raise InvalidLink
        return slug

    def unsubscribe_by_links(
        self, tokens: Sequence[str], newsletters: Container[str], *, now: datetime, source: str
    ) -> tuple[str | None, ...]:
        """Unsubscribe who these links belong to; return for each from which newsletter.

        One that opens nothing is answered with None, and the others act. If others are in the way,
        the unsubscribes are stored to be applied soon, and count already.
        """
        with autocommit(self._engine) as connection:
            return unsubscribe_by_links(connection, tokens, newsletters, at=now, source=source)

    def unsubscribe(self, subscription_ids: Collection[int], *, now: datetime, source: str) -> int:
        """End subscriptions; return how many had not ended before."""
        with autocommit(self._engine) as connection:
            return unsubscribe(connection, subscription_ids, at=now, source=source)

    def apply_pending(self) -> int:
        """Apply the unsubscribes that others were in the way of; return how many."""
        return apply_all_pending(self._engine)

    def resubscribe(self, subscription_id: int, *, now: datetime, source: str) -> Subscription:
        """Undo an unsubscribe, for the subscriber; a suppressed address stays suppressed."""
        ids, act = [subscription_id], ConsentAct.RESUMED
        with transaction(self._engine) as session:
            apply_pending(session, ids)
            apply_consent(session, ids, act, at=now, source=source)
        return self.by_id(subscription_id)

    def choose_topics(
        self, subscription_id: int, topics: TopicSet, *, now: datetime, source: str
    ) -> Subscription:
        """Store a subscriber's choice of topics; an ended subscription stays ended."""
        values = {
            "act": ConsentAct.CHOSE.value,
            "at": now,
            "detail": Jsonb({"topics": sorted(topics.slugs)}),
            "id": subscription_id,
            "source": source,
        }
        with transaction(self._engine) as session:
            execute(session, CHOOSE_TOPICS, values | {"set": topic_set_id(session, topics)})
        return self.by_id(subscription_id)

    def choose(
        self, subscription_id: int, chosen: Choices, *, now: datetime, source: str, actor: str
    ) -> Subscription:
        """Store all that a subscriber chose, or, raising InvalidChoice, nothing of it."""
        name, zone = plain_name(chosen.name), known_zone(chosen.zone)
        self.set_frequency(subscription_id, chosen.frequency, now=now, actor=actor)
        self.rename(subscription_id, name, now=now, actor=actor)
        self.set_time_zone(subscription_id, zone, now=now, actor=actor)
        return self.choose_topics(subscription_id, chosen.topics, now=now, source=source)

    def set_frequency(
        self, subscription_id: int, frequency: Frequency, *, now: datetime, actor: str
    ) -> bool:
        """Store how often a subscriber wants to be written to; False if that is no change."""
        return self._change(subscription_id, Change.FREQUENCY, frequency.value, now, actor)

    def set_time_zone(self, subscription_id: int, zone: str, *, now: datetime, actor: str) -> bool:
        """Store a subscriber's time zone; False if that is no change; raise InvalidChoice."""
        return self._change(subscription_id, Change.ZONE, known_zone(zone), now, actor)

    def rename(self, subscription_id: int, name: str, *, now: datetime, actor: str) -> bool:
        """Store a subscriber's name; False if that is no change; raise InvalidChoice."""
        return self._change(subscription_id, Change.NAME, plain_name(name), now, actor)

    def pause(self, subscription: Subscription, until: date, *, now: datetime, actor: str) -> bool:
        """Send nothing until a date begins where the subscriber lives; raise InvalidChoice."""
        zone = ZoneInfo(subscription.zone)
        today = now.astimezone(zone).date()
        if not today < until <= today + LONGEST_PAUSE:
            raise InvalidChoice("until", "Choose a day after today, and within a year.")
        moment = datetime.combine(until, time(), zone)
        return self._change(subscription.id, Change.PAUSED, moment, now, actor)

    def unpause(self, subscription_id: int, *, now: datetime, actor: str) -> bool:
        """End a pause; False if there is none."""
        return self._change(subscription_id, Change.UNPAUSED, None, now, actor)

    def record_reason(
        self, subscription_id: int, reason: str, words: str, *, now: datetime, actor: str
    ) -> bool:
        """Record why a subscriber left, once after each unsubscribe; raise InvalidChoice."""
        given = {"reason": reason, "words": words.replace("\0", "").strip()}
        if len(given["words"]) > REASON_LENGTH:
            raise InvalidChoice("words", f"Please use at most {REASON_LENGTH} characters.")
        return self._change(subscription_id, Change.REASON, given, now, actor)

    def _change(
        self, subscription_id: int, what: Change, to: object, at: datetime, actor: str
    ) -> bool:
        to = Jsonb(to) if isinstance(to, dict) else to
        values = {"actor": actor, "at": at, "id": subscription_id, "to": to, "what": what.value}
        with autocommit(self._engine) as connection:
            return execute(connection, CHANGES[what], values) > 0

    def suppress(self, suppressions: Iterable[Suppression]) -> int:
        """Suppress addresses; return for how many that is new or for a weightier reason.

        What a lift has answered is not stored.
        """
        with transaction(self._engine) as session:
            return suppress(session, suppressions)

    def known_addresses(self, emails: Collection[str]) -> frozenset[str]:
        """Return those of subscribers, past ones too, or of people who asked to become one."""
        with transaction(self._engine) as session:
            return known_addresses(session, emails)

    def suppress_address(self, given: Suppression) -> Suppression:
        """Suppress one address, for a person; return what stands; raise InvalidAddress."""
        read_address(given.email)
        self.suppress([given])
        return self.suppression(given.email) or given

    def suppression(self, email: str) -> Suppression | None:
        """Return why an address must not be written to; None when it may."""
        with transaction(self._engine) as session:
            return suppression_of(session, email_key(email))

    def lift(self, email: str, *, now: datetime, even_complaint: bool = False) -> Suppression:
        """Take an address off the suppression list, and return what stood there.

        Events from before now do not put it back. Raises NoSuchSuppression, and
        SuppressionNotLifted for what the address's owner said, unless even that is to be lifted.
        A subscription that ended stays ended.
        """
        reasons = [r for r in LADDER if even_complaint or r not in OWNER_REASONS]
        with transaction(self._engine) as session:
            lifted = lift(session, email_key(email), reasons, at=now)
            if lifted is None:
                found = suppression_of(session, email_key(email))
                raise SuppressionNotLifted if found else NoSuchSuppression
        return lifted

    def suppressions(
        self, *, reason: SuppressionReason | None = None, part: str = "", limit: int = 100
    ) -> tuple[Suppression, ...]:
        """Return suppressions, the latest first: of a reason, with this part in the address."""
        with transaction(self._engine) as session:
            return suppressions(session, reason, part.strip().lower(), limit)

    def suppression_counts(self) -> Mapping[SuppressionReason, int]:
        """Count the suppression list by reason; every reason is there."""
        with transaction(self._engine) as session:
            return suppression_counts(session)

    def record_engagement(self, subscription_ids: Collection[int], day: date) -> int:
        """Record the day of a human open or click, which only moves on; return how many moved.

        See docs/decisions/engagement-is-a-day.md.
        """
        if not subscription_ids:
            return 0
        with transaction(self._engine) as session:
            return record_engagement(session, subscription_ids, day)

    def end_expired_pauses(self, now: datetime) -> int:
        """End the pauses that are over; return how many."""
        with transaction(self._engine) as session:
            return execute(session, _END_EXPIRED_PAUSES, {"now": now})

    def counts(self, newsletter: str) -> AudienceCounts:
        with autocommit(self._engine) as connection:
            return AudienceCounts(**rows(connection, _COUNTS, {"newsletter": newsletter})[0])

    def topic_set_counts(
        self, newsletter: str, frequency: Frequency, now: datetime
    ) -> tuple[TopicSetCount, ...]:
        """Count the subscriptions by their topics and by why they would get nothing now."""
        with transaction(self._engine, snapshot=True) as session:
            return tuple(count_topic_sets(session, newsletter, frequency, now))

    def topic_sets(self) -> tuple[TopicSet, ...]:
        """Return every choice of topics that anybody ever made."""
        with transaction(self._engine) as session:
            return topic_sets(session)
