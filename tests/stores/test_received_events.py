"""Events of an issue in the order in which they came: little is read for a page of them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from newsletter.stores.received_events import ends

SINCE = datetime(2026, 11, 27, 5, tzinfo=UTC)


@given(st.timedeltas(timedelta(days=-1), timedelta(days=400)))
def test_longer_and_longer_times_end_where_all_ends(later: timedelta):
    found = list(ends(SINCE, SINCE + later))
    assert found[-1] == SINCE + later
    assert all(before < after for before, after in pairwise(found))
    assert len(found) < 16


def test_a_moment_that_no_calendar_passes_ends_at_once():
    assert list(ends(datetime.max.replace(tzinfo=UTC), SINCE)) == [SINCE]
