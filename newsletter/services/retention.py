"""Deletes raw events, letters and evidence of consent that are older than `[retention]` allows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from newsletter.ports import Clock
from newsletter.stores.partitions import PartitionStore
from newsletter.stores.person_history import PersonHistory
from subscribers.records.service import Records

_PORTION = 10_000  #: rows in one transaction
_PORTIONS = 200  #: in one run: the rest waits for the next


@dataclass(frozen=True, kw_only=True)
class Expired:
    """How much one run deleted."""

    events: int  #: rows
    evidence: int  #: rows
    deliveries: int = 0  #: partitions


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Deletes expired rows; a period of None keeps them for ever."""

    events: PersonHistory
    evidence: Records
    clock: Clock
    events_for: timedelta | None
    evidence_for: timedelta | None
    partitions: PartitionStore
    deliveries_for: timedelta | None
    #: Keeps the sums of these issues for good; returns those that are still open, and then none.
    summarize: Callable[[Collection[int]], Collection[int]]

    def expire(self) -> Expired:
        """Delete what is too old, portion by portion; harmless to repeat, or to break off."""
        return Expired(
            events=self._expire(self.events_for, self.events.expire_events),
            evidence=self._expire(self.evidence_for, self.evidence.expire_evidence),
            deliveries=self._drop_deliveries(),
        )

    def _drop_deliveries(self) -> int:
        """Drop partitions all of whose issues are old enough, and whose sums are kept."""
        if self.deliveries_for is None:
            return 0
        self.partitions.finish_drops()
        old = self.partitions.old(self.clock.now() - self.deliveries_for)
        ended = [one for one, issue_ids in old if not self.summarize(issue_ids)]
        for one in ended:
            self.partitions.drop(one)
        return len(ended)

    def _expire(self, kept_for: timedelta | None, expire: Callable[..., int]) -> int:
        if kept_for is None:
            return 0
        before, gone = self.clock.now() - kept_for, 0
        for _ in range(_PORTIONS):
            portion = expire(before, portion=_PORTION)
            gone += portion
            if not portion:
                break
        return gone
