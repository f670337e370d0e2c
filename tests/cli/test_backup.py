"""`newsletter backup` and `newsletter restore` at the command line."""

from pathlib import Path

import pytest

from tests.cli.conftest import READER, CommandLine

pytestmark = pytest.mark.postgres


def test_what_was_backed_up_is_there_again_after_a_restore(cli: CommandLine, tmp_path: Path):
    cli.subscribe(f"{READER},,chips,UTC")
    file = str(tmp_path / "my backup.dump")

    assert cli.done("backup", file)["file"] == file
    cli.subscribe("late@example.com,,chips,UTC")
    assert cli.rows()["subscriber"] == 2
    sentence = cli.refused("restore", file)
    assert "the database is not empty" in sentence
    assert "--replace" in sentence
    assert "subscriber" in cli.done("restore", file, "--replace")["tables"]

    assert cli.rows()["subscriber"] == 1


def test_what_cannot_be_done_is_said_in_one_sentence(cli: CommandLine, tmp_path: Path):
    file = cli.file("letter.txt", "dear reader")

    assert f"{file} exists already" in cli.refused("backup", file)
    assert "/nowhere/a.dump cannot be written: No such file" in cli.refused(
        "backup", "/nowhere/a.dump"
    )
    assert f"{file} is no whole backup" in cli.refused("restore", file)
    assert "No such file" in cli.refused("restore", str(tmp_path / "missing.dump"))


def test_a_copy_beside_its_original_gets_an_id_of_its_own_when_it_is_restored(
    cli: CommandLine, tmp_path: Path
):
    file, original = str(tmp_path / "my.dump"), cli.done("installation", "show")["id"]
    cli.done("backup", file)

    assert cli.done("restore", file, "--replace")["installation"]["id"] == original
    copy = cli.done("restore", file, "--replace", "--new-installation")["installation"]["id"]

    assert copy != original
    assert cli.done("installation", "show")["id"] == copy
