"""Issues as a filter names them, and the letters of one subscriber that it is held against."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from subscribers.errors import InvalidSegment

_WRITTEN = re.compile(
    r"(?:(?P<slug>[a-z0-9][a-z0-9-]*)/)?(?:(?P<date>\d{4}-\d\d-\d\d)|last-(?P<latest>\d{1,3}))"
)


class LeftIssue(NamedTuple):
    """An issue that was sent: the newsletter whose it is, and its date."""

    newsletter: str
    day: date


@dataclass(frozen=True, kw_only=True)
class IssueRef:
    """An issue by its date, or the latest ones that left; of another newsletter if it says so."""

    newsletter: str = ""  #: empty: the one whose list it is
    day: date | None = None
    latest: int = 0  #: that many, counted when the filter is used

    def __str__(self) -> str:
        which = self.day.isoformat() if self.day else f"last-{self.latest}"
        return f"{self.newsletter}/{which}" if self.newsletter else which


@dataclass(frozen=True, kw_only=True)
class Letters:
    """The issues that left, the latest first by newsletter, and those that one subscriber read."""

    left: Mapping[str, tuple[date, ...]] = field(default_factory=dict[str, tuple[date, ...]])
    received: frozenset[LeftIssue] = frozenset()
    opened: frozenset[LeftIssue] = frozenset()
    clicked: frozenset[LeftIssue] = frozenset()
    stories: frozenset[int] = frozenset()  #: briefs whose link was followed

    def of(self, asked: Iterable[IssueRef], newsletter: str) -> frozenset[LeftIssue]:
        """Return the issues that are asked about, of those that left."""
        return frozenset(
            LeftIssue(slug, day)
            for ref in asked
            for slug in [ref.newsletter or newsletter]
            for number, day in enumerate(self.left.get(slug, ()), start=1)
            if day == ref.day or number <= ref.latest
        )


NO_LETTERS = Letters()


def read_issue(field: str, word: str) -> IssueRef:
    """Read an issue as a filter spells it; InvalidSegment names the field."""
    found = _WRITTEN.fullmatch(word)
    if not found or (found["latest"] and not int(found["latest"])):
        raise InvalidSegment(
            f"{field}: {word!r} is no issue: give its date like 2026-11-23, or last-3 for any of "
            "the last three"
        )
    try:
        day = date.fromisoformat(found["date"]) if found["date"] else None
    except ValueError:
        raise InvalidSegment(f"{field}: {word!r} is not a date like 2026-11-23") from None
    return IssueRef(newsletter=found["slug"] or "", day=day, latest=int(found["latest"] or 0))
