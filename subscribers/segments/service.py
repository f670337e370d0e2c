"""The desk of segments: how many, who, and exactly whom a send is for."""

import re
import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from subscribers.errors import InvalidSegment, NoSuchSegment
from subscribers.segments.filters import Filter, read_filter

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A filter with a name."""

    newsletter: str
    name: str
    filter: Filter
    at: datetime  #: when it was saved
    by: str


@dataclass(frozen=True, kw_only=True)
class SegmentCount:
    """How many subscriptions a filter matches."""

    matching: int
    mailable: int  #: of these, how many may be written to


@dataclass(frozen=True, kw_only=True)
class Member:
    """A subscription that a filter matches."""

    subscription_id: int
    email: str
    name: str
    joined: datetime
    engaged_on: date | None


class SegmentStore(Protocol):
    """Where segments are kept, and asked."""

    def save(self, segment: Segment, *, replace: bool) -> bool:
        """Keep a segment; False if there is one of this name and it is not to be replaced."""
        ...

    def segments(self, newsletter: str) -> tuple[Segment, ...]:
        """Return the newsletter's segments by name."""
        ...

    def delete(self, newsletter: str, name: str) -> None:
        """Forget a segment; who was in it at a send stays on record."""
        ...

    def count(self, newsletter: str, chosen: Filter, today: date) -> SegmentCount:
        """Count who is in it, and who of them may be written to."""
        ...

    def sample(
        self, newsletter: str, chosen: Filter, today: date, limit: int
    ) -> tuple[Member, ...]:
        """Return some who are in it, the latest subscriptions first."""
        ...

    def freeze(self, newsletter: str, chosen: Filter, today: date, send: str) -> int:
        """Write down who is in it for a send, once; return how many."""
        ...

    def release(self, send: str) -> None:
        """Forget who was written down for a send."""
        ...


class Segments:
    """Saved filters over the subscriptions of a newsletter. Days are those of UTC."""

    def __init__(self, store: SegmentStore) -> None:
        self._store = store

    @staticmethod
    def read(said: Mapping[str, Any], known_topics: Collection[str]) -> Filter:
        """Understand a filter somebody typed; raise InvalidSegment, which names the field."""
        known_zones = zoneinfo.available_timezones()
        return read_filter(said, known_topics=known_topics, known_zones=known_zones)

    def save(
        self,
        newsletter: str,
        name: str,
        chosen: Filter,
        *,
        by: str,
        now: datetime,
        replace: bool = False,
    ) -> Segment:
        """Keep a filter under a name; raise InvalidSegment where another has it already."""
        if not _NAME.fullmatch(name):
            raise InvalidSegment(
                f"{name!r} is no name for a segment: small letters, digits and hyphens, at most 50"
            )
        if chosen == Filter():
            raise InvalidSegment("the filter says nothing: everybody would be in the segment")
        segment = Segment(newsletter=newsletter, name=name, filter=chosen, at=now, by=by)
        if not self._store.save(segment, replace=replace):
            raise InvalidSegment(
                f"there is a segment {name} already; --replace it, or name another"
            )
        return segment

    def all(self, newsletter: str) -> tuple[Segment, ...]:
        """Return the newsletter's segments by name."""
        return self._store.segments(newsletter)

    def get(self, newsletter: str, name: str) -> Segment:
        """Return the segment of this name; NoSuchSegment names those there are."""
        there = {one.name: one for one in self._store.segments(newsletter)}
        if name not in there:
            raise NoSuchSegment(
                f"{newsletter} has no segment {name!r}; there is: {', '.join(there) or 'none yet'}"
            )
        return there[name]

    def delete(self, newsletter: str, name: str) -> Segment:
        """Forget a segment, and return it; raise NoSuchSegment."""
        segment = self.get(newsletter, name)
        self._store.delete(newsletter, name)
        return segment

    def count(self, newsletter: str, chosen: Filter, *, now: datetime) -> SegmentCount:
        """Count who is in it, and who of them may be written to."""
        return self._store.count(newsletter, chosen, _today(now))

    def sample(
        self, newsletter: str, chosen: Filter, *, now: datetime, limit: int = 10
    ) -> tuple[Member, ...]:
        """Return some who are in it, the latest subscriptions first."""
        return self._store.sample(newsletter, chosen, _today(now), limit)

    def freeze(self, newsletter: str, name: str, send: str, *, now: datetime) -> int:
        """Write down who is in a segment for a send, once; return how many.

        Whoever comes or changes afterwards is for the next send. Raises NoSuchSegment.
        """
        chosen = self.get(newsletter, name).filter
        return self._store.freeze(newsletter, chosen, _today(now), send)

    def release(self, send: str) -> None:
        """Forget who was written down for a send, once it is planned."""
        self._store.release(send)


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()
