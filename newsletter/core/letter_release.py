"""Issues whose letters were let go: their sums and results stay, who got them is not known."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class LetterRelease:
    """The letters of an issue were let go: who got it, or did not, is no longer known."""

    on: date  #: the issue's
    at: datetime

    @property
    def sentence(self) -> str:
        days = (self.at.date() - self.on).days
        return (
            f"The letters of this issue were let go on {self.at:%Y-%m-%d}, after {days:,} days; "
            "its sums are kept."
        )


@dataclass(frozen=True, kw_only=True)
class ReleasedIssues:
    """The issues of one newsletter whose letters were let go."""

    newsletter: str
    list: str  #: the newsletter whose subscribers they went to
    issues: int
    first: date
    last: date
    last_planned_at: datetime
    at: datetime  #: when the latest of them were let go

    @property
    def sentence(self) -> str:
        which = f"{self.first}" if self.issues == 1 else f"{self.first} to {self.last}"
        count = "1 issue" if self.issues == 1 else f"{self.issues:,} issues"
        return f"who got the {count} of {which} is no longer known; their sums are kept"
