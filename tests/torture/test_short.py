"""The torture in short: a few kills, a few answers lost; `make torture` is the whole."""

from collections.abc import Iterator

import pytest

from tests.torture.installation import Installation, opened
from tests.torture.plans import Plan
from tests.torture.rounds import torture

pytestmark = pytest.mark.postgres


@pytest.fixture
def installation() -> Iterator[Installation]:
    with opened(recipients=300, batch_size=15, quiet=4) as installation:
        yield installation


@pytest.fixture
def env_without_events() -> Iterator[Installation]:
    """An installation without a webhook."""
    with opened(recipients=300, batch_size=15, quiet=4, events=False) as installation:
        yield installation


def test_killed_again_and_again_everybody_gets_it_once(
    installation: Installation,
):
    result = torture(installation, Plan(name="short", kills=3, faults=True, seed=11))
    assert result.kills == 3
    assert (result.lost, result.doubled, result.wrong) == (0, 0, [])
    assert result.by_event + result.by_absence + result.by_hand > 0


def test_killed_where_no_event_comes_the_rest_is_reconciled_by_email_logs(
    env_without_events: Installation,
):
    plan = Plan(name="short, without events", kills=1, faults=True, seed=12)
    result = torture(env_without_events, plan)
    assert (result.lost, result.doubled, result.wrong) == (0, 0, [])
    assert (result.by_event, result.by_absence) == (0, 0)
    assert result.by_logs > 0
