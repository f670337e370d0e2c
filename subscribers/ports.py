"""What this house asks of the world: one store."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from subscribers.model import (
    AudienceCounts,
    Change,
    ConsentAct,
    LinkKey,
    PastImport,
    RowResult,
    Subscription,
    Suppression,
    SuppressionReason,
    TopicSet,
    Undone,
)
from subscribers.segments.filters import Filter


@dataclass(frozen=True, kw_only=True)
class ListImport:
    """One import: what is said of every row of its list."""

    file: str
    newsletter: str
    consent_source: str  #: the operator's statement of where the consent came from
    format: str  #: whose export it is
    service: str  #: the service it comes from, in a sentence
    actor: str
    default_zone: str
    at: datetime


class Imported(NamedTuple):
    """What became of a list."""

    import_id: int | None  #: none of a dry run
    counts: Mapping[RowResult, int]  #: every result, also those that were not met


class ListStore(Protocol):
    """Where lists come in and go out."""

    def import_rows(
        self,
        blocks: Iterable[bytes],
        fields: Collection[str],
        about: ListImport,
        answer: Callable[[bytes], object],
        *,
        dry_run: bool,
    ) -> Imported:
        """Store all that is good of a list, or, when anything is raised, nothing of it.

        Blocks are rows as `subscribers.lists.csv_reader` stages them, each with these fields. `answer` is
        given a CSV that says for each row what became of it, before anything is final.
        """
        ...

    def imports(self, newsletter: str | None, limit: int) -> tuple[PastImport, ...]:
        """Return what was imported, the latest first."""
        ...

    def undo(self, import_id: int, *, at: datetime, actor: str, dry_run: bool) -> Undone | None:
        """Take an import back; None when there was no such import."""
        ...

    def export(
        self,
        newsletter: str,
        chosen: Filter,
        today: date,
        take: Callable[[bytes], object],
        *,
        csv: bool,
    ) -> int:
        """Give who is in a segment, as CSV or as a JSON object a line; return how many."""
        ...


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

    def change(
        self, subscription_id: int, what: Change, to: object, *, at: datetime, actor: str
    ) -> bool:
        """Make a change and keep its record; False, and no record, if nothing changed."""
        ...

    def act_by_link(
        self,
        subscription_id: int,
        act: ConsentAct,
        allow: Callable[[LinkKey | None], str],
        *,
        at: datetime,
        source: str,
    ) -> str:
        """Move one subscription as `act` does, if `allow` raises nothing; return what it says."""
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

    def engage(self, subscription_ids: Collection[int], day: date) -> int:
        """Move the last day of a human open or click on; return for how many it moved."""
        ...

    def wake(self, now: datetime) -> int:
        """End the pauses that are over; return how many."""
        ...

    def counts(self, newsletter: str) -> AudienceCounts:
        """Count the newsletter's subscriptions by how they stand."""
        ...
