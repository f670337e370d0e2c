"""Keeping no longer than was decided: raw events, and the evidence of subscriptions that ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.ports import Clock

_PORTION = 10_000  #: rows in one transaction
_PORTIONS = 200  #: in one turn: the rest waits for the next


class KeepsEvents(Protocol):
    """Where delivery events are kept."""

    def expire_events(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the events received before; return how many."""
        ...


class KeepsEvidence(Protocol):
    """Where evidence is kept."""

    def expire_evidence(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the evidence of subscriptions that ended before; count its rows."""
        ...


@dataclass(frozen=True, kw_only=True)
class Expired:
    """What one turn deleted."""

    events: int
    evidence: int


@dataclass(frozen=True, kw_only=True)
class Retention:
    """The desk that lets go of what was kept long enough. None keeps for ever."""

    events: KeepsEvents
    evidence: KeepsEvidence
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
