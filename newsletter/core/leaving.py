"""Leaving: how far the sending of an issue has come, for whoever watches it."""

from dataclasses import dataclass
from datetime import timedelta

from newsletter.core.issue_totals import Sums
from newsletter.core.stored import IssueStatus

RATE_WINDOW = timedelta(seconds=10)  #: the rate is that of the last seconds


@dataclass(frozen=True, kw_only=True)
class LeavingBatch:
    """One of the latest requests of an issue, and its answer."""

    batch_id: int
    ordinal: int  #: within its edition
    edition: str  #: its key
    size: int
    state: str  #: of the batch
    answer: str  #: to the request; empty while none came
    reason: str
    seconds: float  #: the request took, or has taken until now


@dataclass(frozen=True, kw_only=True)
class LeavingFigures:
    """How far the sending of an issue has come: counters that add up, and how fast it goes."""

    state: IssueStatus
    sums: Sums
    claimed: int  #: in a worker's hand at this moment
    rate: float  #: letters a second, of those that were accepted last
    batches: tuple[LeavingBatch, ...]  #: those requested last, the newest first

    @property
    def waiting(self) -> int:
        """Return how many deliveries are still to go, and in nobody's hand."""
        return self.sums.to_go - self.claimed

    @property
    def done(self) -> int:
        """Return how many deliveries have an outcome; an unknown one is none."""
        return self.sums.deliveries - self.sums.to_go - self.sums.unknown

    @property
    def together(self) -> int:
        """Return the sum of all parts, which is the number of the deliveries if it adds up."""
        return self.done + self.sums.unknown + self.sums.to_go

    @property
    def adds_up(self) -> bool:
        return self.sums.adds_up

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest takes at this rate; None where nothing is leaving."""
        if self.state is not IssueStatus.SENDING or not self.rate:
            return None
        return self.sums.to_go / self.rate
