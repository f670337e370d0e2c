"""Deletes raw events, and evidence of ended subscriptions, older than `[retention]` allows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from newsletter.ports import Clock
from newsletter.stores.person_history import PersonHistory
from subscribers.records.service import Records

_PORTION = 10_000  #: rows in one transaction
_PORTIONS = 200  #: in one run: the rest waits for the next


@dataclass(frozen=True, kw_only=True)
class Expired:
    """How many rows one run deleted."""

    events: int
    evidence: int


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Deletes expired rows; a period of None keeps them for ever."""

    events: PersonHistory
    evidence: Records
    clock: Clock
    events_for: timedelta | None
    evidence_for: timedelta | None

    def expire(self) -> Expired:
        """Delete what is too old, portion by portion; harmless to repeat, or to break off."""
        return Expired(
            events=self._expire(self.events_for, self.events.expire_events),
            evidence=self._expire(self.evidence_for, self.evidence.expire_evidence),
        )

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
