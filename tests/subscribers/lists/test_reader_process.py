"""A long list is read by another process: what is said when that process dies."""

from pathlib import Path

import pytest

from subscribers.errors import InvalidList
from subscribers.lists import reader_process
from subscribers.lists.model import Explanations
from subscribers.lists.reader_process import ListFile, reading

ALL_READ = "import pickle, sys; sys.stdin.buffer.read()"
HALF_SAID = f"{ALL_READ}; sys.stdout.buffer.write(pickle.dumps(bytes(99))[:50])"
AT_ONCE = "import sys; sys.stdin.close()"
ZONES = frozenset(map(str, range(20_000)))  # more than a pipe holds


@pytest.mark.parametrize("does", [ALL_READ, HALF_SAID, AT_ONCE])
def test_a_reader_that_dies_at_any_point_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    monkeypatch.setattr(reader_process, "_LONG", 0)
    monkeypatch.setattr(reader_process, "_READER", does)
    path = tmp_path / "list.csv"
    path.write_text("email\nreader@example.com\n")
    wanted = ListFile(
        path=path,
        encoding=None,
        said=Explanations(),
        known_topics=frozenset(),
        topic_titles={},
        known_zones=ZONES,
    )
    with pytest.raises(InvalidList, match="has died"), reading(wanted, None):
        pass
