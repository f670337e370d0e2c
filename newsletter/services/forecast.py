"""Forecasts whom an issue would reach if it left now, and writes nothing."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter.core.forecast import Forecast, audience_counts, forecast
from newsletter.core.publication import Newsletter, Readers
from newsletter.ports import Clock
from newsletter.services.publishing import Publishing
from subscribers.model import AudienceCounts, TopicSetCount
from subscribers.subscriptions.service import Subscriptions

_KEPT = timedelta(seconds=20)
_QUICK = 0.1  #: seconds of a count that a page may wait for


@dataclass(frozen=True, kw_only=True)
class ReaderCounts:
    """How many made each choice of topics, when that was counted, and how long it took."""

    counts: tuple[TopicSetCount, ...]
    at: datetime
    seconds: float

    def is_recent(self, now: datetime) -> bool:
        return timedelta(0) <= now - self.at < _KEPT


@dataclass(eq=False)
class Forecasts:
    """Says what a plan made now would store. Nothing is set in type for it.

    The counts of a list are kept for some seconds: they do not change with the issue. Only pages
    use them; an approval counts anew. See docs/decisions/a-forecast-writes-nothing.md.
    """

    publishing: Publishing
    subscriptions: Subscriptions
    clock: Clock
    timer: Callable[[], float] = time.perf_counter  #: seconds, of which differences count
    _counted: dict[Readers, ReaderCounts] = field(default_factory=dict[Readers, ReaderCounts])
    _made: dict[str, Forecast] = field(default_factory=dict[str, Forecast])  #: the last, by slug
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def of(self, newsletter: Newsletter, on: date, *, anew: bool = False) -> Forecast:
        """Return the forecast of a date; of an empty issue, too. `anew` uses no kept counts.

        NotAllowed for a date that is still to come: its briefs are not there yet.
        """
        issue = self.publishing.upcoming(newsletter, on)
        counted = self._counts(newsletter.readers, anew=anew)
        last = self._made.get(newsletter.slug)
        if last and last.issue == issue and last.counted_at == counted.at and not anew:
            return last
        self._made[newsletter.slug] = made = forecast(issue, counted.counts, counted.at)
        return made

    def audience(self, newsletter: Newsletter) -> AudienceCounts:
        """Return how many of its list may be written to now, from the kept counts."""
        return audience_counts(self._counts(newsletter.readers, anew=False).counts)

    def is_ready(self, newsletter: Newsletter) -> bool:
        """Return whether a forecast takes no long count: of a list never counted that is unknown.

        It is when the counts are kept, when the last count was quick, and before the first one.
        """
        last = self._counted.get(newsletter.readers)
        return last is None or last.seconds < _QUICK or last.is_recent(self.clock.now())

    def _counts(self, readers: Readers, *, anew: bool) -> ReaderCounts:
        """Return the counts; who asks while they are counted waits for them."""
        with self._counting:
            kept = self._counted.get(readers)
            if kept and not anew and kept.is_recent(self.clock.now()):
                return kept
            self._counted[readers] = counted = self._count(readers)
            return counted

    def _count(self, readers: Readers) -> ReaderCounts:
        now, began = self.clock.now(), self.timer()
        counts = self.subscriptions.topic_set_counts(readers.newsletter, readers.frequency, now)
        return ReaderCounts(counts=counts, at=now, seconds=self.timer() - began)
