"""Any path will do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.embedded.conftest import User, servers_in

pytestmark = pytest.mark.postgres

_NAMES = {
    "blank and percent": "My Projects/zürich & co + 100%",
    "shell": "$HOME `id` ; 'a' \"b\" #",
    "list": "a,b=c:d@e?f\\g",
    "long": "/".join(["a rather long name of a folder " * 6] * 7),  # 1300 bytes
}


@pytest.mark.parametrize("name", _NAMES.values(), ids=_NAMES)
def test_a_server_runs_in_a_folder_of_any_name(name: str, use: Callable[..., User], place: Path):
    data = place / name / "pg"
    first = use(data)
    first.ask("CREATE TABLE kept AS SELECT 1")
    second = use(data)
    assert second.ask("SELECT count(*) FROM kept") == 1
    first.leave()
    assert second.ask("SELECT count(*) FROM kept") == 1
    second.leave()

    assert servers_in(place) == []
    assert not second.host.exists() or second.host == data
