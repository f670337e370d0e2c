"""A segment: a filter over a newsletter's subscriptions, and whether one of them matches it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, cast

from subscribers.errors import InvalidSegment
from subscribers.model import EVERYTHING, Exclusion, Frequency, Subscription, SubscriptionStatus

LONGEST_SPAN = 36_500  #: days; a longer one is a typing error
WORD_LENGTH = 200  #: characters of a tag, a zone or a source


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
    """What a subscription must be like; what is not given does not matter."""

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

    def matches(
        self, subscription: Subscription, *, exclusion: Exclusion | None, today: date
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


def joined_within(chosen: Filter, today: date) -> tuple[datetime | None, datetime | None]:
    """Return from when on, and before when, a subscription of this segment began."""
    befores = [chosen.joined_before] if chosen.joined_before else []
    if chosen.not_engaged_within is not None:
        befores.append(today - timedelta(days=chosen.not_engaged_within))
    return _midnight(chosen.joined_since), _midnight(min(befores, default=None))


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def read_filter(
    given: Mapping[str, Any],
    *,
    known_topics: Collection[str] | None = None,
    known_zones: Collection[str] | None = None,
) -> Filter:
    """Read a filter as JSON or a command line spells it; InvalidSegment names the field.

    Lists may be one text with commas; hyphens in names are underscores; empty is not given.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        field = name.replace("-", "_")
        if field not in _READERS:
            known = ", ".join(one.replace("_", "-") for one in _READERS)
            raise InvalidSegment(f"there is no filter {name!r}; choose from: {known}")
        if value not in (None, "", [], ()):
            values[field] = _READERS[field](field.replace("_", "-"), value)
    found = Filter(**values)
    if known_topics is not None:
        _known("topics", found.topics, {*known_topics, EVERYTHING}, ", ".join(known_topics))
    if known_zones is not None:
        areas = {zone.rpartition("/")[0] for zone in known_zones}
        _known("zones", found.zones, {*known_zones, *areas}, "names like Europe/Berlin, or Europe")
    _refuse_contradictions(found)
    return found


def _known(field: str, given: Iterable[str], known: Collection[str], shown: str) -> None:
    for one in sorted(given):
        if one not in known:
            raise InvalidSegment(f"{field}: there is no {one!r}; choose from: {shown}")


def _refuse_contradictions(found: Filter) -> None:
    since, before = found.joined_since, found.joined_before
    if since and before and since >= before:
        raise InvalidSegment(f"joined-before: {before} is not after joined-since, {since}")
    within, not_within = found.engaged_within, found.not_engaged_within
    if within and not_within and not_within >= within:
        raise InvalidSegment("not-engaged-within: must be fewer days than engaged-within")


def _words(field: str, value: object) -> frozenset[str]:
    given: list[object] = cast("list[object]", value) if isinstance(value, list) else [value]
    return frozenset(
        _word(field, part) for one in given for part in _text(field, one).split(",") if part.strip()
    )


def _word(field: str, value: object) -> str:
    word = _text(field, value).strip()
    if len(word) > WORD_LENGTH or not word.isprintable():
        raise InvalidSegment(f"{field}: {word[:20]!r}… is no name")
    return word


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidSegment(f"{field}: {value!r} is not a text")
    return value


def _choice(known: type[StrEnum], field: str, value: object) -> StrEnum:
    try:
        return known(value)
    except ValueError:
        raise InvalidSegment(f"{field}: {value!r} is none of {', '.join(known)}") from None


def _day(field: str, value: object) -> date:
    try:
        return date.fromisoformat(_text(field, value))
    except ValueError:
        raise InvalidSegment(f"{field}: {value!r} is not a date like 2026-11-23") from None


def _days(field: str, value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= LONGEST_SPAN:
        raise InvalidSegment(f"{field}: {value!r} is not a number of days, 1 to {LONGEST_SPAN}")
    return int(text)


_READERS: Mapping[str, Callable[[str, object], object]] = {
    "topics": _words,
    "tags": _words,
    "tags_all": _words,
    "tags_none": _words,
    "status": partial(_choice, SubscriberState),
    "frequency": partial(_choice, Frequency),
    "zones": _words,
    "source": _word,
    "joined_since": _day,
    "joined_before": _day,
    "engaged_within": _days,
    "not_engaged_within": _days,
}


def filter_data(chosen: Filter) -> dict[str, Any]:
    """Return a filter as JSON; `read_filter` reads it again."""
    given = {one.name: getattr(chosen, one.name) for one in fields(chosen)}
    return {name: _plain(value) for name, value in given.items() if value}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[str]", value))
    return value.isoformat() if isinstance(value, date) else value


_WHO = {
    None: "everyone",
    SubscriberState.MAILABLE: "everyone who may be written to",
    SubscriberState.ACTIVE: "everyone who has not left",
    SubscriberState.PAUSED: "everyone who paused",
    SubscriberState.ENDED: "everyone who left",
    SubscriberState.SUPPRESSED: "everyone on the suppression list",
}


def describe(chosen: Filter) -> str:
    """Return a filter as a sentence without a full stop."""
    unengaged = chosen.not_engaged_within
    parts: list[tuple[object, str]] = [
        (True, _WHO[chosen.status]),
        (chosen.topics, f"with a choice of {_listed(chosen.topics, 'or')}"),
        (chosen.tags, f"tagged {_listed(chosen.tags, 'or')}"),
        (chosen.tags_all, f"tagged {_listed(chosen.tags_all, 'and')}"),
        (chosen.tags_none, f"not tagged {_listed(chosen.tags_none, 'or')}"),
        (chosen.frequency, f"{chosen.frequency} readers"),
        (chosen.zones, f"in {_listed(chosen.zones, 'or')}"),
        (chosen.source, f"who came by {chosen.source}"),
        (chosen.joined_since, f"who joined on {chosen.joined_since} or later"),
        (chosen.joined_before, f"who joined before {chosen.joined_before}"),
        (chosen.engaged_within, f"who opened or clicked within {chosen.engaged_within} days"),
        (
            unengaged,
            f"who have been subscribed for {unengaged} days without opening or clicking",
        ),
    ]
    return ", ".join(words for given, words in parts if given)


def _listed(words: Iterable[str], last: str) -> str:
    *most, end = sorted(words) or [""]
    return f"{', '.join(most)} {last} {end}" if most else end
