"""Issue totals: what is known of an issue's sending, in numbers that must add up (law 6)."""

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
    requests: int
    exclusions: dict[str, int]  #: by reason
    skips: dict[str, int]  #: by reason
    refusals: dict[str, int]  #: by reason
    events: dict[str, int]  #: deliveries by the highest state an event has shown


@dataclass(frozen=True, kw_only=True)
class DeliveryRecord:
    """The answer to "why": what happened to one subscriber's letter of one issue."""

    issue_id: int
    date: date
    number: int | None
    exclusion: str | None = None
    delivery_id: int | None = None
    edition_key: str | None = None
    brief_ids: tuple[int, ...] = ()
    batch_id: int | None = None
    batch_state: str | None = None
    batch_reason: str | None = None
    skipped: str | None = None
    refused: str | None = None
    state: DeliveryState = DeliveryState.NO_EVENTS  #: the highest that an event has shown
    attempts: tuple[dict[str, Any], ...] = ()
    events: tuple[dict[str, Any], ...] = ()
