"""Issue totals: what is known of an issue's sending, in numbers that must add up (law 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.core.delivery import DeliveryState


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The numbers that must agree: audience and deliveries, each with their parts."""

    audience: int  #: subscriptions of the newsletter when the issue was planned
    excluded: int
    deliveries: int
    accepted: int
    refused: int
    unknown: int
    skipped: int
    to_go: int
    doubled: int = 0  #: of the accepted: provably in two accepted requests, so sent twice

    @property
    def adds_up(self) -> bool:
        parts = self.accepted + self.refused + self.unknown + self.skipped + self.to_go
        return self.audience == self.deliveries + self.excluded and self.deliveries == parts


@dataclass(frozen=True, kw_only=True)
class IssueTotals:
    """What is known of one issue's sending, for people."""

    sums: Sums
    editions: int
    batches: dict[str, int]  #: by state
    requests: int  #: that reached SendGrid, and ended
    exclusions: dict[str, int]  #: by reason
    skips: dict[str, int]  #: by reason
    refusals: dict[str, int]  #: by reason
    doubled: dict[int, int]  #: deliveries that were sent twice, by batch
    events: dict[str, int]  #: deliveries by the highest state an event has shown

    @property
    def awaited(self) -> str | None:
        """Return what the issue's end waits for; None if it does not, or for what is to go."""
        lost = self.batches.get("unknown", 0)
        if not lost or self.sums.to_go:
            return None
        which = "1 batch" if lost == 1 else f"{lost:,} batches"
        return (
            f"every batch was requested; the issue is sent once it is known whether SendGrid "
            f"accepted {which} whose answer was lost"
        )


@dataclass(frozen=True, kw_only=True)
class DeliveryRecord:
    """The answer to "why": what happened to one subscriber's letter of one issue."""

    issue_id: int
    date: date
    number: int | None
    exclusion: str | None = None
    place: int | None = None  #: of the delivery in the issue
    edition_key: str | None = None
    brief_ids: tuple[int, ...] = ()
    batch_id: int | None = None
    batch_state: str | None = None
    batch_reason: str | None = None
    skipped: str | None = None
    refused: str | None = None
    state: DeliveryState = DeliveryState.NO_EVENTS  #: the highest that an event has shown
    attempts: tuple[dict[str, Any], ...] = ()  #: the requests that held it, in order
    events: tuple[dict[str, Any], ...] = ()

    @property
    def times_accepted(self) -> int:
        """Return in how many requests it was provably accepted; more than one is a doubling."""
        return sum(attempt["outcome"] == "accepted" for attempt in self.attempts)

    @property
    def may_be_sent(self) -> bool:
        """Return whether the answer to a request that held it is missing."""
        return lacks_answer(self.attempts)


def lacks_answer(attempts: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether the answer to one of these requests is missing."""
    return any(attempt["outcome"] in (None, "unknown") for attempt in attempts)
