"""What silence and Email Logs permit, and what they do not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.reconciliation import (
    Absent,
    Settlement,
    Shown,
    Unavailable,
    UnknownBatch,
    next_look,
    settle,
    settle_by_logs,
)

ASKED = datetime(2026, 11, 23, 10, tzinfo=UTC)
QUIET = timedelta(minutes=15)


def batch(*, lost: int = 1, others_heard: bool = True) -> UnknownBatch:
    return UnknownBatch(
        batch_id=1,
        issue_id=1,
        newsletter="technology",
        size=10,
        reason="lost",
        asked=ASKED,
        attempts=lost,
        lost=lost,
        others_heard=others_heard,
    )


@pytest.mark.parametrize(
    "minutes, unknown, expected",
    [
        (14, batch(), Settlement.WAIT),
        (15, batch(), Settlement.RESEND),
        (15, batch(others_heard=False), Settlement.PERSON),  # nobody is heard: silence says nothing
        (15, batch(lost=2), Settlement.PERSON),  # once is enough
    ],
)
def test_silence_permits_one_resend_while_others_are_heard(minutes, unknown, expected):
    now = ASKED + timedelta(minutes=minutes)
    assert settle(unknown, now=now, quiet_period=QUIET) is expected


@given(st.integers(2, 9), st.booleans(), st.integers(0, 10_000))
def test_a_batch_that_was_sent_again_is_never_sent_a_third_time_by_itself(lost, heard, minutes):
    unknown = batch(lost=lost, others_heard=heard)
    now = ASKED + timedelta(minutes=minutes)
    assert settle(unknown, now=now, quiet_period=QUIET) is not Settlement.RESEND


SHOWN, ABSENT, UNAVAILABLE = Shown("attempt-1"), Absent(), Unavailable("429")
WAIT, RESEND, PERSON = Settlement.WAIT, Settlement.RESEND, Settlement.PERSON


@pytest.mark.parametrize(
    "found, others_shown, lost, early, late",
    [
        (SHOWN, False, 1, Settlement.ACCEPTED, Settlement.ACCEPTED),  # proof needs no patience
        (SHOWN, True, 2, Settlement.ACCEPTED, Settlement.ACCEPTED),
        (ABSENT, True, 1, WAIT, RESEND),
        (ABSENT, False, 1, WAIT, PERSON),  # the logs may just be late
        (ABSENT, True, 2, WAIT, PERSON),  # once is enough
        (UNAVAILABLE, True, 1, WAIT, PERSON),  # they said nothing: others say nothing about it
        (UNAVAILABLE, False, 1, WAIT, PERSON),
    ],
)
def test_what_email_logs_permit(found, others_shown, lost, early, late):
    # That events were heard once says nothing where none is heard any more.
    unknown = batch(lost=lost, others_heard=True)
    settled = [
        settle_by_logs(
            unknown, found, others_shown=others_shown, now=ASKED + age, patience=timedelta(hours=1)
        )
        for age in (timedelta(minutes=59), timedelta(hours=1))
    ]
    assert settled == [early, late]


def looks(patience: timedelta) -> list[timedelta]:
    """Return the ages at which Email Logs are asked by a clock that turns every 30 seconds."""
    unknown, last, ages, now = batch(), ASKED, [], ASKED
    while (due := next_look(unknown, last, patience)) is not None:
        now = max(due, now + timedelta(seconds=30))
        last = now
        ages.append(now - ASKED)
    return ages


def test_email_logs_are_asked_ever_more_seldom_and_no_longer_than_they_remember():
    ages = looks(timedelta(minutes=60))
    assert ages[0] <= timedelta(seconds=30)
    assert timedelta(hours=1) in ages
    assert len([age for age in ages if age <= timedelta(hours=1)]) < 25
    assert len([age for age in ages if age <= timedelta(days=1)]) < 40
    assert timedelta(days=30) <= ages[-1] < timedelta(days=31)
