"""Notice: what operators must be told about a day, once."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class OperatorAlertKind(StrEnum):
    """What happened to the day's issue, or to a source of it."""

    EMPTY_DAY = "empty day"  #: nothing to say at the hour; nothing is sent
    UNAPPROVED = "unapproved"  #: a draft at the hour; it leaves once it is approved, while fresh
    FAILED = "failed"  #: it could not be assembled or sent; the clock tries again while it is fresh
    MISSED_DAY = "missed day"  #: its freshness ran out before it could be sent
    PAUSED = "paused"  #: on its way, and waiting for a person
    UNKNOWN_BATCH = "unknown batch"  #: an answer was lost, and nothing has told it since
    NOT_WRITTEN = "letter not sent"  #: letters to one person, such as confirmations, cannot leave
    SOURCE_DOWN = "source down"  #: a polled source has failed for long; the date is its first day


@dataclass(frozen=True, kw_only=True)
class OperatorAlert:
    """Something about one newsletter's issue of one date, in a sentence without addresses."""

    kind: OperatorAlertKind
    newsletter: str  #: its slug
    date: date
    sentence: str
