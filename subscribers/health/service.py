"""The desk of list health: how a list grows, who of it can be written to, and who reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from subscribers.model import AudienceCounts, Frequency, SuppressionReason

WEEKS = 8
SPANS = (1, 7, 30)  #: days of the latest growth, today among them
SILENCES = (30, 90, 180)  #: days without a human open or click
TROUBLE_DAYS = 30  #: of bounces and complaints


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How many came and went."""

    joined: int
    left: int


@dataclass(frozen=True, kw_only=True)
class Week(Growth):
    """How many came and went in a week."""

    begins: date  #: a Monday


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Sign-ups that nobody has confirmed."""

    open: int  #: they still can be
    oldest: datetime | None  #: of the open ones: when it was asked for
    expired: int  #: kept until retention takes them


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the store knows of a newsletter's list."""

    counts: AudienceCounts
    suppressed: Mapping[SuppressionReason, int]
    silenced: Mapping[SuppressionReason, int]  #: of these, in the last `TROUBLE_DAYS`
    joined: Mapping[date, int]  #: by day, as far back as was asked
    left: Mapping[date, int]
    waiting: Waiting
    inactive: Mapping[int, int]  #: by days: who could have read in them, and did not
    never: int  #: of those who may be written to: who never opened or clicked
    frequencies: Mapping[Frequency, int]  #: of those who may be written to
    topics: Mapping[str, int]  #: of those who may be written to, by slug; "*": everything


@dataclass(frozen=True, kw_only=True)
class HealthFigures:
    """How a newsletter's list is."""

    at: datetime
    figures: Figures
    weeks: tuple[Week, ...]  #: the oldest first; the last is still going on
    latest: Mapping[int, Growth]  #: by days


class HealthStore(Protocol):
    """What can be asked of the lists as a whole."""

    def figures(self, newsletter: str, *, now: datetime, since: date) -> Figures:
        """Return everything, with who came and went by day since then."""
        ...


class ListHealth:
    """How a list is. Days and weeks are those of UTC."""

    def __init__(self, store: HealthStore) -> None:
        self._store = store

    def look(self, newsletter: str, now: datetime) -> HealthFigures:
        """Return how the newsletter's list is now."""
        today = now.astimezone(UTC).date()
        monday = today - timedelta(days=today.weekday())
        mondays = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
        found = self._store.figures(newsletter, now=now, since=mondays[0])

        def growth(since: date, until: date) -> Growth:
            return Growth(
                joined=_within(found.joined, since, until), left=_within(found.left, since, until)
            )

        weeks = ((day, growth(day, day + timedelta(weeks=1))) for day in mondays)
        tomorrow = today + timedelta(days=1)
        return HealthFigures(
            at=now,
            figures=found,
            weeks=tuple(Week(begins=day, joined=g.joined, left=g.left) for day, g in weeks),
            latest={days: growth(tomorrow - timedelta(days=days), tomorrow) for days in SPANS},
        )


def _within(days: Mapping[date, int], since: date, until: date) -> int:
    return sum(count for day, count in days.items() if since <= day < until)
