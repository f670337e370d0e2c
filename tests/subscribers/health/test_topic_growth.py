"""Growth by topic: who joined and left in each span adds up to who is there at its end."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.container import TODAY, open_container

pytestmark = pytest.mark.postgres


def test_each_topic_has_its_joined_left_and_count_by_day_and_week(
    engine: Engine, tmp_path: Path
) -> None:
    container = open_container(engine)
    container.subscribe(tmp_path, {"a@example.com": "chips;policy", "b@example.com": "chips"})
    container.clock.pass_time(days=1)
    container.subscribe(tmp_path, {"c@example.com": "chips", "d@example.com": ""})
    container.unsubscribe("a@example.com")
    container.clock.pass_time(days=1)
    container.unsubscribe("b@example.com")

    def growth(since: date, *, weekly: bool = False) -> dict[str, list[tuple[int, int, int]]]:
        until = TODAY + timedelta(days=2)
        found: dict[str, list[tuple[int, int, int]]] = {}
        for one in container.list_changes.by_topic(
            container.newsletter, since, until, weekly=weekly
        ):
            found.setdefault(one.topic, []).append((one.joined, one.left, one.subscribers))
        return found

    assert growth(TODAY) == {
        "chips": [(2, 0, 2), (1, 1, 2), (0, 1, 1)],
        "policy": [(1, 0, 1), (0, 1, 0), (0, 0, 0)],
        "*": [(0, 0, 0), (1, 0, 1), (0, 0, 1)],
    }
    assert growth(TODAY + timedelta(days=2))["chips"] == [(0, 1, 1)]
    assert growth(TODAY, weekly=True)["chips"] == [(3, 2, 1)]
