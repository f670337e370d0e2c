"""An issue in one line of a list."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.stored import IssueStatus


@dataclass(frozen=True, kw_only=True)
class IssueLine:
    """Which issue, how it stands and to how many it goes."""

    date: date
    number: int | None
    state: IssueStatus
    subject: str  #: its own, or the first story's title
    stories: int
    readers: int  #: deliveries; 0 until it is planned
    approved_by: str | None
