"""Letters from staff to staff, part of no issue: test letters, trials, those about an approval.

A test letter is an edition, marked as a test.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from newsletter.core.delivery import Accepted, Outcome, Refused, Unknown
from newsletter.core.edition import Letter

MARK = "[Test] "  #: what its subject begins with
A_DAY = 20  #: of one kind, to one address


class StaffLetterKind(StrEnum):
    """What a letter to staff is about."""

    TEST = "test"  #: an edition, before it leaves
    ASKED = "asked"  #: somebody asks for an approval
    SENT_BACK = "sent_back"  #: to whoever asked for one
    TRIAL = "trial"  #: whether letters arrive, and their events come back


class StaffLetterStatus(StrEnum):
    """What became of a letter to staff."""

    WAITING = "waiting"  #: it leaves within seconds; a test letter leaves at once
    CLAIMED = "claimed"  #: SendGrid may be being asked
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class StaffLetter:
    """A letter to a member of staff: who had it sent, to whom, about what, and as whose."""

    id: int = 0
    at: datetime
    by: str
    email: str
    newsletter: str
    date: date
    kind: StaffLetterKind = StaffLetterKind.TEST
    shown_as: str = ""  #: of a test letter: "everything", "edition 5f…" or "a reader"
    edition: str = ""  #: of a test letter
    content_hash: str
    note: str = ""  #: what whoever had it sent wrote to it
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
