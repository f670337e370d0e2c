"""The readers behind each number of an issue, a page at a time."""

from dataclasses import dataclass
from enum import StrEnum

PAGE = 50  #: readers


class IssueGroup(StrEnum):
    """A number of an issue that has readers behind it. Who read what is nobody's business."""

    EXCLUDED = "excluded"
    NOTHING = "nothing"  #: no story of the day is about what they chose
    SKIPPED = "skipped"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    COMPLAINED = "complained"
    LEFT = "left"


class IssueReading(StrEnum):
    """Who got an issue and did something with it: for lists at the command line, not for pages."""

    SENT = "sent"  #: SendGrid took the letter
    ARRIVED = "arrived"
    OPENED = "opened"  #: by a person, or a person followed a link of it
    CLICKED = "clicked"


@dataclass(frozen=True, kw_only=True)
class IssuePerson:
    """A reader behind a number, and why they are."""

    subscriber_id: int
    email: str  #: empty if they were erased
    reason: str  #: empty where the number says it all


@dataclass(frozen=True, kw_only=True)
class PeoplePage:
    """Some readers behind a number; fewer than a page may be found at once, and more follow."""

    people: tuple[IssuePerson, ...]
    cursor: str | None  #: where the next page begins; None at the end
