"""The words: subscriber, subscription, topic set, consent, suppression."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import NamedTuple

NAME_LENGTH = 200  #: characters of a subscriber's name
TAG_LENGTH = 50  #: characters
EVERYTHING = "*"  #: in a topic set: every topic, also those still to come


@dataclass(frozen=True)
class TopicSet:
    """The topics one subscriber chose; two subscribers who chose alike share one."""

    slugs: frozenset[str]

    @classmethod
    def of(cls, slugs: Iterable[str]) -> "TopicSet":
        """Return the set of these slugs; none at all means everything."""
        chosen = frozenset(slugs)
        everything = not chosen or EVERYTHING in chosen
        return cls(frozenset({EVERYTHING}) if everything else chosen)

    def chooses(self, topics: Iterable[str]) -> bool:
        """Return whether something about these topics is for readers of this set."""
        return EVERYTHING in self.slugs or not self.slugs.isdisjoint(topics)


class SubscriptionStatus(StrEnum):
    """Whether a subscription goes on."""

    ACTIVE = "active"  #: confirmed, or imported with a statement of consent
    ENDED = "ended"  #: the subscriber unsubscribed, or a complaint counts as that


class Frequency(StrEnum):
    """How often a subscriber wants a newsletter."""

    DAILY = "daily"  #: every issue
    WEEKLY = "weekly"  #: the week's briefs in one digest


class ConsentAct(StrEnum):
    """What a subscriber did, or what was done for them; each is recorded as evidence."""

    REQUESTED = "requested"  #: somebody signed up with this address
    IMPORTED = "imported"  #: an operator's list, with a statement of where its consent came from
    CONFIRMED = "confirmed"  #: the subscriber confirmed the sign-up
    CHOSE = "chose"  #: the subscriber chose other topics
    WITHDRAWN = "withdrawn"  #: the subscriber unsubscribed
    RESUMED = "resumed"  #: the subscriber resubscribed


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What subscribers choose together, as they sign up or on their page."""

    topics: TopicSet
    frequency: Frequency
    name: str
    zone: str


class Change(StrEnum):
    """What subscribers change about a subscription of theirs, besides consent; recorded."""

    FREQUENCY = "frequency"
    ZONE = "zone"
    NAME = "name"
    PAUSED = "paused"
    UNPAUSED = "unpaused"
    REASON = "reason"  #: why they left


class LinkKey(NamedTuple):
    """What is needed to check a link."""

    newsletter: str
    link_key: bytes
    undone: bool  #: with the import that added it


class Purpose(bytes, Enum):
    """What a link lets its bearer do. The value is what its signature is bound to."""

    UNSUBSCRIBE = b"unsubscribe"
    PREFERENCES = b"preferences"
    CONFIRM = b"confirm"  #: a sign-up, by the address's owner
    ADDRESS = b"address"  #: a new address, by its owner
    STILL_WANTED = b"still wanted"  #: the answer to "still want this?"


class SuppressionReason(StrEnum):
    """Why an address must not be written to, whatever it subscribed to."""

    BOUNCE = "bounce"  #: the address does not exist, or refuses for good
    COMPLAINT = "complaint"  #: its owner reported an email as spam
    INVALID = "invalid"  #: SendGrid would not take the address
    MANUAL = "manual"  #: an operator said so
    SOFT_BOUNCE = "soft_bounce"  #: its mailbox refused too many of the latest emails
    UNSUBSCRIBE = "unsubscribe"  #: its owner unsubscribed at SendGrid


class Exclusion(StrEnum):
    """Why a subscription gets no delivery; the first that applies is the one given."""

    SUPPRESSED = "suppressed"  #: the address is on the suppression list
    ENDED = "ended"  #: the subscription has ended
    PAUSED = "paused"  #: the subscriber wants nothing for a while
    OTHER_FREQUENCY = "other_frequency"  #: the subscriber chose the weekly digest, or the daily one
    OUTSIDE_SEGMENT = "outside_segment"  #: the issue goes to a segment, and they were not in it
    NO_STORY = "no_story"  #: nothing in the issue is about the chosen topics


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address that must not be written to, and why."""

    email: str
    reason: SuppressionReason
    source: str  #: who or what said so: "event", "import 12", an operator
    since: datetime
    note: str = ""  #: an operator's


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One subscriber's choice for one newsletter."""

    id: int
    subscriber_id: int
    email: str
    newsletter: str
    topics: TopicSet
    zone: str  #: IANA name of the reader's time zone
    status: SubscriptionStatus
    link_key: bytes  #: 16 random bytes; what this subscription's links are signed with
    name: str = ""
    frequency: Frequency = Frequency.DAILY
    paused_at: datetime | None = None
    paused_until: datetime | None = None  #: None while paused: until they say so
    tags: tuple[str, ...] = ()
    source: str = ""  #: how they came: "import 12", "sign-up page", an operator
    joined: datetime | None = None
    engaged_on: date | None = None  #: the last day of a human open or click
    asked_at: datetime | None = None  #: when they were asked whether they still want it
    merged_into_id: int | None = None  #: what took its place, when people were merged
    undone_at: datetime | None = None  #: when the import that added it was undone


@dataclass(frozen=True, kw_only=True)
class AudienceCounts:
    """The subscriptions of one newsletter by status; each is counted once."""

    mailable: int
    suppressed: int
    ended: int
    paused: int

    @property
    def subscriptions(self) -> int:
        return self.mailable + self.suppressed + self.ended + self.paused


@dataclass(frozen=True, kw_only=True)
class TopicSetCount:
    """How many subscriptions chose the same topics and are excluded for the same reason, if any."""

    topics: TopicSet
    exclusion: Exclusion | None
    people: int


@dataclass(frozen=True, kw_only=True)
class SunsetPolicy:
    """When readers who no longer read are asked whether they still want it, and then left alone."""

    after_days: int  #: without a human open or click
    answer_days: int = 14  #: how long the question waits for its answer
    letters: int = 5  #: delivered in that time; after fewer, inactivity says nothing


class RowResult(StrEnum):
    """What an import did with one row of a list."""

    ADDED = "added"  #: a new subscription
    UPDATED = "updated"  #: the list said something new about a subscription
    UNCHANGED = "unchanged"  #: the list said nothing new
    REFUSED = "refused"  #: the row is wrong; its reason says how
    ENDED = "ended"  #: its subscriber unsubscribed, and a list does not undo that
    SUPPRESSED = "suppressed"  #: its address must not be written to
    ERASED = "erased"  #: its subscriber asked to be forgotten, and a list does not undo that


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did, or would do."""

    rows: int
    counts: Mapping[RowResult, int]  #: every result, also those that did not occur
    results: str  #: path of the file with the result of each row
    ignored_columns: tuple[str, ...]  #: as the list spells them
    dry_run: bool
    format: str  #: whose export it is
    encoding: str  #: as which the text was read
    warnings: Mapping[str, int]  #: what could not be read or looks odd, and in how many rows
    import_id: int | None = None  #: none of a dry run

    @property
    def adds_up(self) -> bool:
        """Return whether every row read has a result."""
        return self.rows == sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class PastImport:
    """A list that was imported."""

    id: int
    at: datetime
    actor: str
    newsletter: str
    file: str
    format: str
    consent_source: str
    counts: Mapping[str, int]
    undone_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A subscription that an undone import leaves: its owner has made it their own."""

    email: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What undoing an import changed, or would change."""

    import_id: int
    dry_run: bool
    before: bool = False  #: it had been undone before; nothing was left to do
    removed: int = 0  #: subscriptions that it had added
    restored: int = 0  #: subscriptions, some of whose former values came back
    unsubscribes: int = 0  #: that it brought, and that stay
    suppressions: int = 0  #: that it brought, and that stay
    kept: tuple[Kept, ...] = ()
