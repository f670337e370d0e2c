"""An issue in one line of a list."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.stored import IssueStatus


@dataclass(frozen=True, kw_only=True)
class IssueLine:
    """Which issue, how it stands and to how many it goes."""

    id: int
    newsletter: str
    date: date
    number: int | None
    state: IssueStatus
    subject: str  #: its own, or the first story's title
    stories: int
    readers: int  #: deliveries; 0 until it is planned
    approved_by: str | None


@dataclass(frozen=True, kw_only=True)
class PlannedEdition:
    """An edition of an issue that was planned, and to how many it goes."""

    key: str
    brief_ids: tuple[int, ...]
    readers: int
