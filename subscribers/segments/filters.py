"""A segment: a filter over a newsletter's subscriptions, and whether one of them matches it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from subscribers.model import Exclusion, Frequency, Subscription, SubscriptionStatus
from subscribers.segments.issues import NO_LETTERS, IssueRef, LeftIssue, Letters


class SubscriberState(StrEnum):
    """A subscription's state as far as it matters whom one can reach."""

    MAILABLE = "mailable"  #: it may be written to
    ACTIVE = "active"  #: it has not ended, whether or not it may be written to now
    PAUSED = "paused"
    ENDED = "ended"
    SUPPRESSED = "suppressed"


_EXCLUDED = {
    SubscriberState.MAILABLE: None,
    SubscriberState.PAUSED: Exclusion.PAUSED,
    SubscriberState.ENDED: Exclusion.ENDED,
    SubscriberState.SUPPRESSED: Exclusion.SUPPRESSED,
}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a subscription must be like; what is not given does not matter.

    Of an issue counts what a person did, as far as can be told: no machine opens for them. Who did
    *not* open issues got one of them at least.
    """

    topics: frozenset[str] = frozenset()  #: it chooses any of these; who chose everything does
    tags: frozenset[str] = frozenset()  #: it has any of these
    tags_all: frozenset[str] = frozenset()  #: it has each of these
    tags_none: frozenset[str] = frozenset()  #: it has none of these
    status: SubscriberState | None = None
    frequency: Frequency | None = None
    zones: frozenset[str] = frozenset()  #: any of these, or in any of these areas: "Europe"
    source: str = ""  #: it came from here; the first words are enough: "import"
    joined_since: date | None = None  #: on this day or later, in UTC as all days
    joined_before: date | None = None  #: before this day began
    engaged_within: int | None = None  #: days since a human open or click, at most
    not_engaged_within: int | None = None  #: days without any; who joined later has not had them
    domains: frozenset[str] = frozenset()  #: its address is at any of these
    not_domains: frozenset[str] = frozenset()  #: at none of these
    received: frozenset[IssueRef] = frozenset()  #: any of these issues arrived
    opened: frozenset[IssueRef] = frozenset()  #: opened, or followed a link of, any of these
    not_opened: frozenset[IssueRef] = frozenset()  #: got some of these, and opened none
    clicked: frozenset[IssueRef] = frozenset()  #: followed a link of any of these
    not_clicked: frozenset[IssueRef] = frozenset()  #: got some of these, and followed no link
    clicked_stories: frozenset[int] = frozenset()  #: followed a link to any of these briefs
    any_of: tuple["Filter", ...] = ()  #: it must match one of these as well, which have none again

    @property
    def issues(self) -> frozenset[IssueRef]:
        """Return all issues that it asks about, but for those of its alternatives."""
        return self.received | self.opened | self.not_opened | self.clicked | self.not_clicked

    def matches(
        self,
        subscription: Subscription,
        *,
        exclusion: Exclusion | None,
        today: date,
        letters: Letters = NO_LETTERS,
    ) -> bool:
        """Return whether a subscription is in the segment; `exclusion`: why it gets no email.

        Specifies `subscribers.segments.condition.condition`, which applies it to all.
        """
        return all(
            (
                not self.topics or subscription.topics.chooses(self.topics),
                _tagged(self, frozenset(subscription.tags)),
                _has_state(self.status, subscription, exclusion),
                self.frequency in (None, subscription.frequency),
                not self.zones or any(_begins(subscription.zone, one, "/") for one in self.zones),
                not self.source or _begins(subscription.source, self.source, " "),
                _joined(self, subscription.joined, today),
                _engaged(self, subscription.engaged_on, today),
                _at_domain(self, subscription.email),
                _read(self, subscription.newsletter, letters),
                not self.any_of
                or any(
                    one.matches(subscription, exclusion=exclusion, today=today, letters=letters)
                    for one in self.any_of
                ),
            )
        )


def _tagged(chosen: Filter, tags: frozenset[str]) -> bool:
    any_of = not chosen.tags or not chosen.tags.isdisjoint(tags)
    return any_of and chosen.tags_all <= tags and chosen.tags_none.isdisjoint(tags)


def _has_state(
    status: SubscriberState | None, subscription: Subscription, exclusion: Exclusion | None
) -> bool:
    if status is SubscriberState.ACTIVE:
        return subscription.status is SubscriptionStatus.ACTIVE
    return status is None or exclusion is _EXCLUDED[status]


def _begins(word: str, given: str, end: str) -> bool:
    """Return whether a word is the given one, or begins with it as a whole."""
    return word == given or word.startswith(given + end)


def _joined(chosen: Filter, joined: datetime | None, today: date) -> bool:
    since, before = joined_within(chosen, today)
    if joined is None:
        return since is None and before is None
    return (since is None or since <= joined) and (before is None or joined < before)


def _engaged(chosen: Filter, engaged_on: date | None, today: date) -> bool:
    if chosen.engaged_within is not None:
        first = today - timedelta(days=chosen.engaged_within)
        if engaged_on is None or engaged_on < first:
            return False
    if chosen.not_engaged_within is None or engaged_on is None:
        return True
    return engaged_on < today - timedelta(days=chosen.not_engaged_within)


def _at_domain(chosen: Filter, email: str) -> bool:
    domain = email.rpartition("@")[2].lower()
    return (not chosen.domains or domain in chosen.domains) and domain not in chosen.not_domains


def _read(chosen: Filter, newsletter: str, letters: Letters) -> bool:
    return all(
        (
            not chosen.received or letters.received & letters.of(chosen.received, newsletter),
            not chosen.opened or letters.opened & letters.of(chosen.opened, newsletter),
            not chosen.clicked or letters.clicked & letters.of(chosen.clicked, newsletter),
            _without(chosen.not_opened, letters.opened, newsletter, letters),
            _without(chosen.not_clicked, letters.clicked, newsletter, letters),
            not chosen.clicked_stories or letters.stories & chosen.clicked_stories,
        )
    )


def _without(
    asked: frozenset[IssueRef], done: frozenset[LeftIssue], newsletter: str, letters: Letters
) -> bool:
    got = letters.received & letters.of(asked, newsletter)
    return not asked or (bool(got) and got.isdisjoint(done))


def joined_within(chosen: Filter, today: date) -> tuple[datetime | None, datetime | None]:
    """Return from when on, and before when, a subscription of this segment began."""
    befores = [chosen.joined_before] if chosen.joined_before else []
    if chosen.not_engaged_within is not None:
        befores.append(today - timedelta(days=chosen.not_engaged_within))
    return _midnight(chosen.joined_since), _midnight(min(befores, default=None))


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
