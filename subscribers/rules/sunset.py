"""Sunset: when an inactive reader is asked whether they still want it, and when paused.

Only what a person does counts as activity: an open or a click of theirs, or something they did on
their own pages. What machines fetch does not. See docs/decisions/the-sunset-asks-first.md.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from subscribers.model import SunsetPolicy


class Step(StrEnum):
    """What is to be done about an inactive subscription."""

    ASK = "ask"
    PAUSE = "pause"


@dataclass(frozen=True, kw_only=True)
class Inactivity:
    """A subscription that may be written to, and when its reader was last active."""

    subscription_id: int
    subscriber_id: int
    last_active_on: date  #: joining included
    engaged_on: date | None
    asked_at: datetime | None  #: when they were last asked, answered or not


def inactive_since(policy: SunsetPolicy, now: datetime) -> date:
    """Return the latest day of a last activity that is too long ago."""
    return now.astimezone(UTC).date() - timedelta(days=policy.after_days)


def next_step(
    inactivity: Inactivity, policy: SunsetPolicy, now: datetime, *, letters: int, arrived: bool
) -> Step | None:
    """Return what is to be done now.

    `letters` were delivered without activity, within the policy's days; `arrived` says whether
    SendGrid accepted the last question. Nobody is paused who was not asked.
    """
    if inactivity.last_active_on > inactive_since(policy, now):
        return None
    if (
        inactivity.asked_at is None
        or inactivity.last_active_on >= inactivity.asked_at.astimezone(UTC).date()
    ):
        return Step.ASK if letters >= policy.letters else None
    if now < inactivity.asked_at + timedelta(days=policy.answer_days):
        return None
    return Step.PAUSE if arrived else Step.ASK
