"""The torture in short: a few kills, a few answers lost; `make torture` is the whole."""

from collections.abc import Iterator

import pytest

from tests.torture.place import Place, opened
from tests.torture.rounds import Plan, torture

pytestmark = pytest.mark.postgres


@pytest.fixture
def place() -> Iterator[Place]:
    with opened(recipients=300, batch_size=15, quiet=4) as place:
        yield place


@pytest.fixture
def silent_place() -> Iterator[Place]:
    """A place without a webhook."""
    with opened(recipients=300, batch_size=15, quiet=4, events=False) as place:
        yield place


def test_killed_again_and_again_nobody_is_forgotten_and_nobody_gets_it_twice(place: Place):
    result = torture(place, Plan(name="short", kills=3, faults=True, seed=11))
    assert result.kills == 3
    assert (result.lost, result.doubled, result.wrong) == (0, 0, [])
    assert result.by_event + result.by_silence + result.by_hand > 0


def test_killed_where_no_event_comes_the_rest_is_settled_by_email_logs(silent_place: Place):
    plan = Plan(name="short, without events", kills=1, faults=True, seed=12)
    result = torture(silent_place, plan)
    assert (result.lost, result.doubled, result.wrong) == (0, 0, [])
    assert (result.by_event, result.by_silence) == (0, 0)
    assert result.by_logs > 0
