"""Test letter: an edition sent to a member of staff, marked as a test, and part of no issue."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from newsletter.core.delivery import Accepted, Outcome, Refused, Unknown
from newsletter.core.edition import Letter

MARK = "[Test] "  #: what its subject begins with
A_DAY = 20  #: to one address


class StaffLetterStatus(StrEnum):
    """What became of a test letter."""

    CLAIMED = "claimed"  #: SendGrid may be being asked
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class StaffLetter:
    """A letter to a member of staff: who had it sent, to whom, and as whose."""

    id: int = 0
    at: datetime
    by: str
    email: str
    newsletter: str
    date: date
    shown_as: str  #: "everything", "edition 5f…" or "a reader"
    edition: str
    content_hash: str
    state: StaffLetterStatus = StaffLetterStatus.CLAIMED
    reason: str = ""
    message_id: str = ""


def marked_as_test(letter: Letter) -> Letter:
    return replace(letter, subject=MARK + letter.subject)


def with_outcome(letter: StaffLetter, outcome: Outcome) -> StaffLetter:
    """Return the letter with SendGrid's answer; it is never sent again by itself."""
    match outcome:
        case Accepted(message_id=message_id):
            return replace(letter, state=StaffLetterStatus.ACCEPTED, message_id=message_id)
        case Refused(reason=reason):
            return replace(letter, state=StaffLetterStatus.REFUSED, reason=reason)
        case Unknown(reason=reason):
            return replace(letter, state=StaffLetterStatus.UNKNOWN, reason=reason)
