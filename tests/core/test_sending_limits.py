"""The rate limit."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.sending_limits import (
    RateLimit,
    capacity_between,
    next_free_at,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_the_warm_up_gives_each_day_its_limit():
    limit = RateLimit(
        per_minute=0, per_day=0, warm_up={date(2026, 11, 20): 500, date(2026, 11, 23): 2000}
    )
    limits = [limit.day_limit(date(2026, 11, day)) for day in (19, 20, 22, 23, 30)]
    assert limits == [0, 500, 500, 2000, 2000]


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 120)), min_size=1, max_size=30))
def test_no_minute_takes_more_than_the_rate_limit_and_one_batch(batches):
    limit, free, now, started = RateLimit(per_minute=600, per_day=0, warm_up={}), None, NOW, []
    for size, seconds in batches:
        now = max(now + timedelta(seconds=seconds), free or now)
        started.append((now, size))
        free = next_free_at(limit, free, size, now)
    for moment, _ in started:
        minute = [s for at, s in started if moment <= at < moment + timedelta(minutes=1)]
        assert sum(minute) <= 600 + max(minute)


def test_without_a_limit_the_post_office_is_always_free():
    assert next_free_at(RateLimit(per_minute=0, per_day=0, warm_up={}), None, 1000, NOW) == NOW


@pytest.mark.parametrize(
    "limit, hours, capacity",
    [
        (RateLimit(per_minute=100, per_day=0, warm_up={}), 12, 72_000),
        (RateLimit(per_minute=0, per_day=500, warm_up={}), 12, 500),
        (
            RateLimit(per_minute=0, per_day=500, warm_up={}),
            24,
            1000,
        ),  # past midnight: another day's
        (RateLimit(per_minute=1, per_day=700, warm_up={}), 24, 700 + 600),
        (RateLimit(per_minute=0, per_day=0, warm_up={date(2026, 11, 24): 50}), 12, float("inf")),
    ],
)
def test_there_is_capacity_for_so_many_within_the_time(limit, hours, capacity):
    assert capacity_between(limit, NOW, NOW + timedelta(hours=hours)) == capacity
