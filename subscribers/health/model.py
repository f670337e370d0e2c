"""What is reported about a newsletter's list as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from subscribers.model import AudienceCounts, Frequency, SuppressionReason

WEEKS = 8
SPANS = (1, 7, 30)  #: days of the latest growth, today among them
INACTIVE_DAYS = (30, 90, 180)  #: without a human open or click
RECENT_DAYS = 30  #: of bounces and complaints


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How many came and went."""

    joined: int
    left: int


@dataclass(frozen=True, kw_only=True)
class ListChange(Growth):
    """How many came and went since a moment, and how many can no longer be written to."""

    suppressed: int  #: whether or not they left


@dataclass(frozen=True, kw_only=True)
class TopicGrowth(Growth):
    """How many came to a topic and left it in a day or week, and how many were there at its end."""

    topic: str  #: "*": whoever chose everything
    first: date
    subscribers: int  #: who had not left, whether or not they may be written to

    @property
    def net(self) -> int:
        return self.joined - self.left


@dataclass(frozen=True, kw_only=True)
class Week(Growth):
    """How many came and went in a week."""

    begins: date  #: a Monday


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Sign-ups that nobody has confirmed."""

    open: int  #: they still can be
    oldest: datetime | None  #: of the open ones: when it was asked for
    expired: int  #: until retention deletes them


@dataclass(frozen=True, kw_only=True)
class ListFigures:
    """What the database says about a newsletter's list."""

    counts: AudienceCounts
    suppressed: Mapping[SuppressionReason, int]
    recently_suppressed: Mapping[SuppressionReason, int]  #: of these, in the last `RECENT_DAYS`
    joined: Mapping[date, int]  #: by day, as far back as was asked
    left: Mapping[date, int]
    waiting: Waiting
    inactive: Mapping[int, int]  #: by days: who could have read in them, and did not
    never: int  #: of those who may be written to: who never opened or clicked
    frequencies: Mapping[Frequency, int]  #: of those who may be written to
    topics: Mapping[str, int]  #: of those who may be written to, by slug; "*": everything


@dataclass(frozen=True, kw_only=True)
class HealthFigures:
    """A newsletter's list: its figures, and its growth."""

    at: datetime
    figures: ListFigures
    weeks: tuple[Week, ...]  #: the oldest first; the last is still going on
    latest: Mapping[int, Growth]  #: by days
