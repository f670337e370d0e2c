"""Sunset: when a reader who no longer reads is asked whether they still want it, and when paused.

Only a person's sign of life counts: an opening or a click of theirs, or something they did on
their own pages. What machines fetch is none.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from subscribers.model import SunsetPolicy


class Step(StrEnum):
    """What is to be done about a silence."""

    ASK = "ask"
    PAUSE = "pause"


@dataclass(frozen=True, kw_only=True)
class Inactivity:
    """A subscription that may be written to, and how long nobody was heard of there."""

    subscription_id: int
    subscriber_id: int
    heard_on: date  #: the last sign of life, joining included
    engaged_on: date | None
    asked_at: datetime | None  #: when the question was last put, answered or not


def last_day_heard(policy: SunsetPolicy, now: datetime) -> date:
    """Return the latest last sign of life that makes a silence too long."""
    return now.astimezone(UTC).date() - timedelta(days=policy.after_days)


def step(
    silence: Inactivity, policy: SunsetPolicy, now: datetime, *, letters: int, arrived: bool
) -> Step | None:
    """Return what is to be done now.

    `letters` were delivered while nobody was heard of, within the policy's days; `arrived` says
    whether SendGrid took the question that was put last. Nobody is paused who was not asked.
    """
    if silence.heard_on > last_day_heard(policy, now):
        return None
    if silence.asked_at is None or silence.heard_on >= silence.asked_at.astimezone(UTC).date():
        return Step.ASK if letters >= policy.letters else None
    if now < silence.asked_at + timedelta(days=policy.answer_days):
        return None
    return Step.PAUSE if arrived else Step.ASK
