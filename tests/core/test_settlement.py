"""What silence permits, and what it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.settlement import Settlement, UnknownBatch, settle

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
