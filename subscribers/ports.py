"""What this house asks of the world: one store."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from subscribers.model import (
    AudienceCounts,
    ConsentAct,
    RowResult,
    Subscription,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.roster import Row


@dataclass(frozen=True, kw_only=True)
class ListImport:
    """One import: what is said of every row of its list."""

    file: str
    newsletter: str
    consent_source: str  #: the operator's statement of where the consent came from
    default_zone: str
    at: datetime


class SubscriberStore(Protocol):
    """Where subscribers, their consent and the suppression list are kept."""

    def subscription(self, subscription_id: int) -> Subscription | None:
        """Return the subscription of this number."""
        ...

    def subscriptions_of(self, email_key: str) -> tuple[Subscription, ...]:
        """Return the subscriptions of this address, one a newsletter."""
        ...

    def act(
        self, subscription_ids: Collection[int], act: ConsentAct, *, at: datetime, source: str
    ) -> int:
        """Move subscriptions as the act moves them, with evidence; return how many it moved."""
        ...

    def choose(self, subscription_id: int, topics: TopicSet, *, at: datetime, source: str) -> None:
        """Keep another choice of topics, with evidence; the same choice again is nothing."""
        ...

    def suppress(self, suppressions: Iterable[Suppression]) -> int:
        """Keep what is weightier than what stands; return how many addresses that concerned.

        What a lift has answered is not kept.
        """
        ...

    def lift(
        self, email_key: str, reasons: Collection[SuppressionReason], *, at: datetime
    ) -> Suppression | None:
        """Take an address off the list if it is there for one of these reasons; return it."""
        ...

    def suppressions(
        self, reason: SuppressionReason | None, part: str, limit: int
    ) -> tuple[Suppression, ...]:
        """Return suppressions, the latest first: of a reason, with this part in the address."""
        ...

    def suppression_counts(self) -> Mapping[SuppressionReason, int]:
        """Count the list by reason."""
        ...

    def suppression(self, email_key: str) -> Suppression | None:
        """Return why this address must not be written to."""
        ...

    def wake(self, now: datetime) -> int:
        """End the pauses that are over; return how many."""
        ...

    def counts(self, newsletter: str) -> AudienceCounts:
        """Count the newsletter's subscriptions by how they stand."""
        ...

    def import_rows(
        self,
        rows: Iterable[Row],
        about: ListImport,
        answer: Callable[[bytes], object],
        *,
        dry_run: bool,
    ) -> Mapping[RowResult, int]:
        """Store all that is good of a list, or, when anything is raised, nothing of it.

        `answer` is given a CSV that says for each row what became of it, before anything is
        final. Returns the count of every result.
        """
        ...
