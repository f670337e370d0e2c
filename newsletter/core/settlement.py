"""Settlement: what may become of an unknown batch, and on which evidence.

An event bearing one of its attempts' ids proves that the batch was accepted whole. Without one,
silence speaks only while others are heard: if events of batches asked at the same time or later
come in, and none of this one does, it was most likely never taken, and may be sent again, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Settlement(StrEnum):
    """What is to be done about an unknown batch now."""

    WAIT = "wait"  #: the quiet period is not over
    RESEND = "resend"  #: silence, while others are heard: one re-send is permitted
    PERSON = "person"  #: there is no evidence, or it was sent again before: a person decides


class Ruling(StrEnum):
    """What a person may decide about an unknown batch."""

    ACCEPTED = "accepted"  #: there is proof that SendGrid took it
    RESEND = "resend"  #: there is proof that it did not: send it again
    REFUSED = "refused"  #: leave it unsent


@dataclass(frozen=True, kw_only=True)
class UnknownBatch:
    """A batch whose answer was lost, and what has been heard since."""

    batch_id: int
    issue_id: int
    newsletter: str
    size: int
    reason: str
    asked: datetime  #: when its last attempt began
    lost: int  #: attempts whose answer was lost: 1, or more once it was sent again
    others_heard: bool  #: events came of another batch that was asked no sooner


def settle(batch: UnknownBatch, *, now: datetime, quiet_period: timedelta) -> Settlement:
    """Say what silence permits."""
    if now < batch.asked + quiet_period:
        return Settlement.WAIT
    if batch.others_heard and batch.lost == 1:
        return Settlement.RESEND
    return Settlement.PERSON
