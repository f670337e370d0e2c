"""Brakes: a fuse that pauses an issue by itself, and the pace at which letters leave."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, kw_only=True)
class CircuitBreaker:
    """Shares of the recipients asked for so far, above which an issue pauses itself."""

    after: int  #: recipients; sooner than this a share says nothing
    refused: float
    unknown: float
    bounced: float
    complained: float


@dataclass(frozen=True, kw_only=True)
class FailureCounts:
    """What has gone wrong with an issue so far, in recipients."""

    asked: int
    refused: int
    unknown: int
    bounced: int
    complained: int


def blown(fuse: CircuitBreaker, trouble: FailureCounts) -> str | None:
    """Return why the fuse blows, worst news first; None while it holds."""
    if trouble.asked < max(fuse.after, 1):
        return None
    for kind in ("complained", "bounced", "unknown", "refused"):
        share, limit = getattr(trouble, kind) / trouble.asked, getattr(fuse, kind)
        if share > limit:
            return f"the fuse blew: {share:.1%} of {trouble.asked} {kind}, the limit is {limit:.1%}"
    return None


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """How fast letters may leave; for a new sender, slower at first."""

    per_minute: int  #: recipients; 0 is no limit
    per_day: int  #: recipients; 0 is no limit
    warm_up: Mapping[date, int]  #: from each date on, so many a day, until the next date

    @property
    def limits(self) -> bool:
        """Tell whether there is any limit to keep."""
        return bool(self.per_minute or self.per_day or self.warm_up)

    def day_limit(self, on: date) -> int:
        """Return how many recipients may be written to on a date; 0 is no limit."""
        begun = [day for day in self.warm_up if day <= on]
        return self.warm_up[max(begun)] if begun else self.per_day


def room_within(pace: RateLimit, start: datetime, end: datetime) -> float:
    """Return how many recipients the pace lets be written to from `start` to `end`."""
    room, at = 0.0, start.astimezone(UTC)
    while at < end:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
        minutes = (min(midnight, end) - at) / timedelta(minutes=1)
        room += min(pace.per_minute * minutes or math.inf, pace.day_limit(at.date()) or math.inf)
        at = midnight
    return room


def next_turn(pace: RateLimit, last: datetime | None, size: int, now: datetime) -> datetime:
    """Return when the post office is free again, once a batch of this size has its turn.

    `last` is when it was to be free before; time that nobody used is not saved up.
    """
    start = max(last, now) if last else now
    return start + timedelta(minutes=size / pace.per_minute) if pace.per_minute else start


@dataclass(frozen=True, kw_only=True)
class SendWindow:
    """How much has left lately, whatever worker sent it."""

    free_at: datetime | None  #: when the pace allows the next batch
    day: date | None  #: of the count beside it, in UTC
    day_count: int  #: recipients written to on that day


def wait_for_turn(pace: RateLimit, office: SendWindow, size: int, now: datetime) -> datetime | None:
    """Return when a batch of this size may try again; None if it may leave now.

    A batch larger than a whole day's limit leaves first on its day, or it never would.
    """
    if office.free_at and office.free_at > now:
        return office.free_at
    today = now.astimezone(UTC).date()
    limit, sent = pace.day_limit(today), office.day_count if office.day == today else 0
    if limit and sent and sent + size > limit:
        return datetime.combine(today + timedelta(days=1), time(), UTC)
    return None
