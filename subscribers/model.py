"""The words: subscriber, subscription, topic set, consent, suppression."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EVERYTHING = "*"  #: in a topic set: every topic, also those still to come


@dataclass(frozen=True)
class TopicSet:
    """The topics one subscriber chose; two subscribers who chose alike share one."""

    slugs: frozenset[str]

    @classmethod
    def of(cls, slugs: Iterable[str]) -> "TopicSet":
        """Return the set of these slugs; none at all means everything."""
        return cls(frozenset(slugs) or frozenset({EVERYTHING}))

    def chooses(self, topics: Iterable[str]) -> bool:
        """Tell whether something about these topics is for readers of this set."""
        return EVERYTHING in self.slugs or not self.slugs.isdisjoint(topics)


class SubscriptionStatus(StrEnum):
    """How a subscription stands."""

    PENDING = "pending"  #: asked for, not yet confirmed
    ACTIVE = "active"  #: confirmed, or imported with a statement of consent
    ENDED = "ended"  #: the subscriber said goodbye, or a complaint said it for them


class SuppressionReason(StrEnum):
    """Why an address must not be written to, whatever it subscribed to."""

    BOUNCE = "bounce"  #: the address does not exist, or refuses for good
    COMPLAINT = "complaint"  #: its owner called a letter spam
    INVALID = "invalid"  #: SendGrid would not take the address
    MANUAL = "manual"  #: an operator said so


class Exclusion(StrEnum):
    """Why a subscription gets no delivery; the first that applies is the one given."""

    SUPPRESSED = "suppressed"  #: the address is on the suppression list
    ENDED = "ended"  #: the subscription has ended
    PENDING = "pending"  #: the subscription was never confirmed
    NO_STORY = "no_story"  #: nothing in the issue is about the chosen topics


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address that must not be written to, and why."""

    email: str
    reason: SuppressionReason
    source: str  #: who or what said so: "event", "import 12", an operator
    since: datetime


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
