"""What an outcome makes of a batch, as one table; and the ladder of a delivery."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import (
    PERSISTENT,
    Accepted,
    BatchState,
    Claim,
    DeliveryState,
    Disposition,
    Recipient,
    Refused,
    Remedy,
    Unknown,
    advance,
    backoff,
    dispose,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PLANNED, REFUSED = BatchState.PLANNED, BatchState.REFUSED


def claim(*, recipients: int = 3, attempt: int = 1) -> Claim:
    return Claim(
        installation_id="0123456789abcdef",
        attempt_id="a",
        attempt=attempt,
        batch_id=1,
        issue_id=1,
        brief_ids=(1,),
        recipients=tuple(
            Recipient(place=n, email=f"r{n}@example.com", subscription_id=n, link_key=bytes(16))
            for n in range(recipients)
        ),
    )


def refused(remedy: Remedy, **more: object) -> Refused:
    return Refused(reason="no", remedy=remedy, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "outcome, held, expected",
    [
        (Accepted(message_id="m"), claim(), Disposition(state=BatchState.ACCEPTED)),
        (Unknown(reason="?"), claim(), Disposition(state=BatchState.UNKNOWN, reason="?")),
        (
            refused(Remedy.EJECT, offenders=(1,)),
            claim(),
            Disposition(state=PLANNED, reason="no", eject=(1,)),
        ),
        # A refusal that names nobody we know would be asked again for ever: a person must look.
        (
            refused(Remedy.EJECT, offenders=(7,)),
            claim(),
            Disposition(state=PLANNED, reason="no", pause=True),
        ),
        (refused(Remedy.SPLIT), claim(), Disposition(state=PLANNED, reason="no", split=True)),
        (refused(Remedy.SPLIT), claim(recipients=1), Disposition(state=REFUSED, reason="no")),
        (
            refused(Remedy.WAIT, wait=timedelta(seconds=9)),
            claim(),
            Disposition(state=PLANNED, reason="no", closed_until=NOW + timedelta(seconds=9)),
        ),
        (
            refused(Remedy.WAIT),
            claim(attempt=3),
            Disposition(state=PLANNED, reason="no", closed_until=NOW + backoff(3)),
        ),
        (
            refused(Remedy.RETRY),
            claim(attempt=2),
            Disposition(state=PLANNED, reason="no", not_before=NOW + backoff(2)),
        ),
        # Nobody is forgotten: a network that stays away is tried while the issue is fresh.
        (
            refused(Remedy.RETRY),
            claim(attempt=PERSISTENT),
            Disposition(
                state=PLANNED, reason="no", not_before=NOW + backoff(PERSISTENT), alert=True
            ),
        ),
        (refused(Remedy.PAUSE), claim(), Disposition(state=PLANNED, reason="no", pause=True)),
    ],
)
def test_an_outcome_decides_what_becomes_of_its_batch(outcome, held, expected):
    assert dispose(outcome, held, NOW) == expected


@given(st.integers(1, 40), st.floats(0, 1))
def test_chance_lengthens_a_pause_by_up_to_a_half(attempt, spread):
    assert backoff(attempt) <= backoff(attempt, spread) <= backoff(attempt) * 1.5


def test_batches_that_failed_together_come_back_apart():
    again = [
        dispose(refused(Remedy.RETRY), claim(attempt=3), NOW, spread=spread).not_before
        for spread in (0.0, 0.5, 1.0)
    ]
    assert again == [NOW + timedelta(seconds=s) for s in (8, 10, 12)]


def test_backoff_doubles_up_to_five_minutes():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 8, 20)] == [2, 4, 8, 256, 300]


@given(st.lists(st.sampled_from(DeliveryState), min_size=1), st.randoms())
def test_any_order_of_events_with_repeats_ends_in_the_same_state(seen, dice):
    def end(states):
        state = DeliveryState.NO_EVENTS
        for one in states:
            state = advance(state, one)
        return state

    shuffled = seen + dice.choices(seen, k=3)
    dice.shuffle(shuffled)
    assert end(shuffled) == end(seen)


def test_a_complaint_outlives_a_late_delivery():
    assert advance(DeliveryState.COMPLAINED, DeliveryState.DELIVERED) is DeliveryState.COMPLAINED
