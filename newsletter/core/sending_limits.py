"""The rate limit that all workers share, and the send window that it is measured by."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """How fast letters may be sent; for a new sender, slower at first."""

    per_minute: int  #: recipients, all workers together; 0 is no limit
    per_day: int  #: recipients in a UTC day, all workers together; 0 is no limit
    warm_up: Mapping[date, int]  #: from each date on, this many a day, until the next date

    @property
    def limits(self) -> bool:
        return bool(self.per_minute or self.per_day or self.warm_up)

    def day_limit(self, on: date) -> int:
        """Return how many recipients may be written to on a date; 0 is no limit."""
        begun = [day for day in self.warm_up if day <= on]
        return self.warm_up[max(begun)] if begun else self.per_day


def capacity_between(rate_limit: RateLimit, start: datetime, end: datetime) -> float:
    capacity, at = 0.0, start.astimezone(UTC)
    while at < end:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
        minutes = (min(midnight, end) - at) / timedelta(minutes=1)
        by_minute, by_day = rate_limit.per_minute * minutes, rate_limit.day_limit(at.date())
        capacity += min(by_minute or math.inf, by_day or math.inf)
        at = midnight
    return capacity


def next_free_at(
    rate_limit: RateLimit, last: datetime | None, size: int, now: datetime
) -> datetime:
    """Return when the next batch may be sent, once a batch of this size is.

    `last` is when this one might be sent; unused time is not saved up.
    """
    start = max(last, now) if last else now
    pause = size / rate_limit.per_minute if rate_limit.per_minute else 0
    return start + timedelta(minutes=pause)


@dataclass(frozen=True, kw_only=True)
class SendWindow:
    """How much was sent lately, by any worker."""

    free_at: datetime | None  #: when the rate limit allows the next batch
    day: date | None  #: of the count beside it, in UTC
    day_count: int  #: recipients written to on that day


def wait_until(
    rate_limit: RateLimit, window: SendWindow, size: int, now: datetime
) -> datetime | None:
    """Return when a batch of this size may try again; None if it may be sent now.

    A batch larger than a whole day's limit is sent first on its day, or it never would be.
    """
    if window.free_at and window.free_at > now:
        return window.free_at
    today = now.astimezone(UTC).date()
    limit, sent = rate_limit.day_limit(today), window.day_count if window.day == today else 0
    if limit and sent and sent + size > limit:
        return datetime.combine(today + timedelta(days=1), time(), UTC)
    return None
