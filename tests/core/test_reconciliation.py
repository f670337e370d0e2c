"""What absent events and Email Logs permit, and what they do not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.reconciliation import (
    Absent,
    Reconciliation,
    Shown,
    Unavailable,
    UnknownBatch,
    WebhookLine,
    absent_from_both,
    next_check,
    reconcile,
    reconcile_by_logs,
    reconcile_on_line,
)

ASKED = datetime(2026, 11, 23, 10, tzinfo=UTC)
QUIET = timedelta(minutes=15)


def batch(*, lost: int = 1, others_received: bool = True) -> UnknownBatch:
    return UnknownBatch(
        batch_id=1,
        issue_id=1,
        newsletter="technology",
        size=10,
        reason="lost",
        asked=ASKED,
        attempts=lost,
        lost=lost,
        others_received=others_received,
    )


@pytest.mark.parametrize(
    "minutes, unknown, expected",
    [
        (14, batch(), Reconciliation.WAIT),
        (15, batch(), Reconciliation.RESEND),
        (
            15,
            batch(others_received=False),
            Reconciliation.PERSON,
        ),  # no events are received: absence says nothing
        (15, batch(lost=2), Reconciliation.PERSON),  # once is enough
    ],
)
def test_absence_permits_one_resend_while_other_events_come(minutes, unknown, expected):
    now = ASKED + timedelta(minutes=minutes)
    assert reconcile(unknown, now=now, quiet_period=QUIET) is expected


@given(st.integers(2, 9), st.booleans(), st.integers(0, 10_000))
def test_a_batch_that_was_sent_again_is_never_sent_a_third_time_by_itself(lost, others, minutes):
    unknown = batch(lost=lost, others_received=others)
    now = ASKED + timedelta(minutes=minutes)
    assert reconcile(unknown, now=now, quiet_period=QUIET) is not Reconciliation.RESEND


SHOWN, ABSENT, UNAVAILABLE = Shown("attempt-1"), Absent(), Unavailable("429")
WAIT, RESEND, PERSON = Reconciliation.WAIT, Reconciliation.RESEND, Reconciliation.PERSON


@pytest.mark.parametrize(
    "found, others_shown, lost, early, late",
    [
        (
            SHOWN,
            False,
            1,
            Reconciliation.ACCEPTED,
            Reconciliation.ACCEPTED,
        ),  # proof needs no patience
        (SHOWN, True, 2, Reconciliation.ACCEPTED, Reconciliation.ACCEPTED),
        (ABSENT, True, 1, WAIT, RESEND),
        (ABSENT, False, 1, WAIT, PERSON),  # the logs may just be late
        (ABSENT, True, 2, WAIT, PERSON),  # once is enough
        (UNAVAILABLE, True, 1, WAIT, PERSON),  # they said nothing: others say nothing about it
        (UNAVAILABLE, False, 1, WAIT, PERSON),
    ],
)
def test_what_email_logs_permit(found, others_shown, lost, early, late):
    # That events came in the past says nothing where none are received any more.
    unknown = batch(lost=lost, others_received=True)
    found = [
        reconcile_by_logs(
            unknown, found, others_shown=others_shown, now=ASKED + age, patience=timedelta(hours=1)
        )
        for age in (timedelta(minutes=59), timedelta(hours=1))
    ]
    assert found == [early, late]


def looks(patience: timedelta) -> list[timedelta]:
    """Return the ages at which Email Logs are asked by a clock that turns every 30 seconds."""
    unknown, last, ages, now = batch(), ASKED, [], ASKED
    while (due := next_check(unknown, last, patience)) is not None:
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


def whole(until: timedelta, *, but: timedelta | None = None) -> WebhookLine:
    """Return a line heard every minute since the request; without events for 10 minutes, `but`."""
    minutes = range(int(until / timedelta(minutes=1)) + 1)
    received = [ASKED + timedelta(minutes=n) for n in minutes]
    if but is not None:
        gap = (ASKED + but, ASKED + but + timedelta(minutes=10))
        received = [at for at in received if not gap[0] < at < gap[1]]
    return WebhookLine(received=tuple(received), failed=(), alive=((ASKED, ASKED + until),))


def judge(line: WebhookLine, age: timedelta) -> Reconciliation:
    return reconcile_on_line(batch(), line, now=ASKED + age, quiet_period=QUIET).reconciliation


@given(st.integers(0, 12 * 60), st.integers(0, 30 * 60))
def test_a_gap_since_the_request_holds_the_resend_for_a_day(at, later):
    gap, age = timedelta(minutes=at), timedelta(minutes=at + 10 + later)
    found = judge(whole(age, but=gap), age)
    over = gap + timedelta(minutes=10)
    if age < QUIET:
        assert found is Reconciliation.WAIT
    elif over > timedelta(hours=12):
        assert found is Reconciliation.PERSON
    else:
        held = age < over + timedelta(hours=24)
        assert found is (Reconciliation.HELD if held else Reconciliation.RESEND)


@given(st.integers(0, 60), st.integers(4, 60))
def test_a_line_that_broke_after_the_quiet_period_holds_the_resend(since, down):
    """The event was late; the line broke before others came, and what came after it was newer."""
    broken = QUIET + timedelta(minutes=since)
    mended = broken + timedelta(minutes=down)
    line = whole(mended)
    line = replace(line, received=tuple(at for at in line.received if at <= ASKED + broken))
    assert judge(line, mended) is Reconciliation.HELD


@pytest.mark.parametrize("minutes", range(16))
def test_a_failed_post_in_the_quiet_period_holds_the_resend(minutes):
    line = replace(whole(QUIET), failed=(ASKED + timedelta(minutes=minutes),))
    assert judge(line, QUIET) is Reconciliation.HELD


def test_a_line_mended_late_leaves_it_to_a_person():
    down = timedelta(hours=13)
    line = whole(timedelta(hours=47))
    line = replace(line, received=tuple(at for at in line.received if at > ASKED + down))
    assert judge(line, timedelta(hours=47)) is Reconciliation.PERSON


def test_nothing_known_of_the_line_permits_nothing():
    nothing = WebhookLine(received=(), failed=(), alive=())
    for hours in (1, 24, 47, 100, 1000):
        assert judge(nothing, timedelta(hours=hours)) is not Reconciliation.RESEND


@pytest.mark.parametrize("seconds", [2, 4, 60, 900])
def test_the_parts_scale_with_the_quiet_period(seconds):
    quiet = timedelta(seconds=seconds)
    received = tuple(ASKED + n * quiet / 6 for n in range(7))
    line = WebhookLine(received=received, failed=(), alive=((ASKED, ASKED + quiet),))
    now = ASKED + quiet
    found = reconcile_on_line(batch(), line, now=now, quiet_period=quiet)
    assert found.reconciliation is Reconciliation.RESEND
    thin = replace(line, received=received[:3] + received[4:])
    found = reconcile_on_line(batch(), thin, now=now, quiet_period=quiet)
    assert found.reconciliation is Reconciliation.HELD


CONFIRMED = timedelta(minutes=5)
WHOLE = WebhookLine(
    received=tuple(ASKED + timedelta(seconds=30 * n) for n in range(40)),
    failed=(),
    alive=((ASKED - timedelta(hours=1), ASKED + timedelta(hours=1)),),
)


def test_what_neither_events_nor_email_logs_show_may_be_sent_again_sooner():
    for minutes, expected in ((4, False), (5, True)):
        now = ASKED + timedelta(minutes=minutes)
        assert expected == absent_from_both(
            batch(), WHOLE, Absent(), others_shown=True, now=now, confirmed=CONFIRMED
        )


@given(
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([Absent(), Shown("one"), Unavailable("away")]),
    st.integers(0, 60),
    st.sampled_from([timedelta(0), CONFIRMED]),
    st.booleans(),
)
def test_absence_from_both_needs_all_of_its_conditions(
    lost, others_received, others_shown, found, minutes, confirmed, whole
):
    unknown = batch(lost=lost, others_received=others_received)
    line = WHOLE if whole else replace(WHOLE, failed=(ASKED + timedelta(minutes=1),))
    now = ASKED + timedelta(minutes=minutes)
    if absent_from_both(
        unknown, line, found, others_shown=others_shown, now=now, confirmed=confirmed
    ):
        assert (lost, others_received, others_shown, whole) == (1, True, True, True)
        assert found == Absent()
        assert confirmed
        assert now >= ASKED + confirmed
