"""`newsletter backup` and `newsletter restore` at the command line."""

from pathlib import Path

import pytest

from tests.cli.conftest import READER, Desk

pytestmark = pytest.mark.postgres


def test_what_was_backed_up_is_there_again_after_a_restore(desk: Desk, tmp_path: Path):
    desk.subscribe(f"{READER},,chips,UTC")
    file = str(tmp_path / "my backup.dump")

    assert desk.done("backup", file)["file"] == file
    desk.subscribe("late@example.com,,chips,UTC")
    assert desk.rows()["subscriber"] == 2
    sentence = desk.refused("restore", file)
    assert "the database is not empty" in sentence
    assert "--replace" in sentence
    assert "subscriber" in desk.done("restore", file, "--replace")["tables"]

    assert desk.rows()["subscriber"] == 1


def test_what_cannot_be_done_is_said_in_one_sentence(desk: Desk, tmp_path: Path):
    file = desk.file("letter.txt", "dear reader")

    assert f"{file} exists already" in desk.refused("backup", file)
    assert f"{file} is no whole backup" in desk.refused("restore", file)
    assert "No such file" in desk.refused("restore", str(tmp_path / "missing.dump"))
