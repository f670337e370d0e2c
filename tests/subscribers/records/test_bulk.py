"""Bulk changes: what is done to whom, what is named, and that repeating does no harm."""

import csv
from pathlib import Path
from typing import Any

import psycopg
import pytest

from subscribers.bulk.stored_rows import StoredRows
from subscribers.errors import DatabaseBusy
from subscribers.records.model import BulkChoice, BulkRow, BulkState, BulkVerb
from tests.cli.conftest import CommandLine
from tests.subscribers.records.conftest import RecordsContainer

pytestmark = pytest.mark.postgres

ROWS = ("a@example.com;x", "B@Example.com;", "nobody@example.com;", "not an address;")
LIST = "\n".join(["Mail;Note", *ROWS, "a@example.com;", ""])


@pytest.fixture
def listed(cli: CommandLine) -> CommandLine:
    """A command line with three subscribers, and a list that names two of them."""
    cli.subscribe("a@example.com,,,", "b@example.com,,,", "c@example.com,,chips,")
    return cli


def bulk_run(cli: CommandLine, *words: str, text: str = LIST) -> Any:
    path = cli.file("many.csv", text)
    return cli.done("bulk", *words, "--file", path, "--map", "Mail=email")


def found(counts: dict[str, int]) -> dict[str, int]:
    return {state: count for state, count in counts.items() if count}


MIXED = {"changes": 2, "unknown": 1, "refused": 1, "repeated": 1}


@pytest.mark.parametrize("words", [("tag", "vip"), ("unsubscribe",), ("suppress",), ("erase",)])
def test_a_dry_run_says_how_many_and_changes_nothing(
    listed: CommandLine, words: tuple[str, ...]
) -> None:
    before = listed.rows()
    said = bulk_run(listed, *words, "--dry-run")
    mixed = MIXED | {"changes": 3, "unknown": 0} if words == ("suppress",) else MIXED
    assert found(said["counts"]) == found(mixed)
    assert said["sample"][:2] == ["a@example.com", "B@Example.com"]
    assert [(one["line"], one["email"]) for one in said["problems"]] == [
        (4, "nobody@example.com"),
        (5, "not an address"),
    ]
    assert (said["changed"], listed.rows()) == (0, before)


def test_every_verb_changes_once_and_its_repetition_nothing(listed: CommandLine) -> None:
    for words, mixed in (
        (("tag", "vip,press"), MIXED),
        (("untag", "press"), MIXED),
        (("suppress",), MIXED | {"changes": 3, "unknown": 0}),
        (("unsubscribe",), MIXED),
        (("erase", "--yes", "3"), MIXED | {"changes": 3, "unknown": 0}),
    ):
        first = bulk_run(listed, *words)
        assert (found(first["counts"]), first["changed"]) == (found(mixed), mixed["changes"])
        again = bulk_run(listed, *words)
        assert (again["counts"]["changes"], again["changed"]) == (0, 0), words
    assert [one["email"] for one in listed.done("subscribers", "search")] == ["c@example.com"]


def test_the_results_say_what_became_of_each_row(listed: CommandLine) -> None:
    said = bulk_run(listed, "unsubscribe")
    with Path(said["results"]).open() as file:
        results = [(row["line"], row["result"], row["reason"]) for row in csv.DictReader(file)]
    assert results[0] == ("2", "unsubscribed", "")
    assert results[2] == ("4", "unknown", "nothing is known of this address")
    assert results[3][:2] == ("5", "no address")
    assert results[4] == ("6", "repeated", "")


def test_an_erasure_needs_the_number(listed: CommandLine) -> None:
    path = listed.file("many.csv", "email\na@example.com\nb@example.com\n")
    assert "--yes 2" in listed.refused("bulk", "erase", "--file", path)
    assert "2 would be erased, not 3" in listed.refused(
        "bulk", "erase", "--file", path, "--yes", "3"
    )


def test_a_segment_is_changed_even_though_its_members_leave_it(listed: CommandLine) -> None:
    listed.done("segments", "save", "new", "--tags-none", "seen")
    said = listed.done("bulk", "tag", "seen", "--segment", "new")
    assert (said["changed"], found(said["counts"])) == (3, {"changes": 3})
    assert listed.done("segments", "count", "new")["matching"] == 0
    listed.done("segments", "save", "chips", "--topic", "chips")
    assert listed.done("bulk", "suppress", "--segment", "chips")["changed"] == 3
    assert listed.done("bulk", "suppress", "--segment", "chips")["changed"] == 0
    listed.done("segments", "save", "readers", "--status", "active")
    assert listed.done("bulk", "unsubscribe", "--segment", "readers")["changed"] == 3
    assert listed.done("bulk", "unsubscribe", "--segment", "readers")["rows"] == 0
    listed.done("segments", "save", "gone", "--status", "suppressed")
    assert listed.done("bulk", "erase", "--segment", "gone", "--yes", "3")["changed"] == 3
    assert listed.done("subscribers", "search") == []


def test_tagging_a_segment_is_a_bulk_change(listed: CommandLine) -> None:
    listed.done("segments", "save", "new", "--tags-none", "seen", "--or", "--topic", "chips")
    assert listed.done("subscribers", "tag", "new", "seen", "--segment")["changed"] == 3
    listed.done("segments", "save", "seen", "--tag", "seen")
    assert listed.done("subscribers", "untag", "seen", "seen", "--segment")["changed"] == 3
    with psycopg.connect(listed.database_url) as connection:
        asked = "SELECT detail ->> 'chosen_by' FROM decision WHERE verb = 'bulk change' ORDER BY id"
        log = connection.execute(asked).fetchall()
    assert log == [("segment new",), ("segment seen",)]


def test_rows_in_a_file_are_read_as_often_as_wanted() -> None:
    rows = [
        BulkRow(2, "a\n@example.com", BulkState.CHANGES, 7, (1, 2)),
        BulkRow(3, "ü", BulkState.REFUSED, problem="no address"),
    ]
    stored = StoredRows(iter(rows))
    assert list(zip(stored, stored, strict=True)) == list(zip(rows, rows, strict=True))
    assert len(stored) == 2


def test_a_change_is_made_in_portions_and_waits_for_others(
    container: RecordsContainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        container.add(f"{name}@example.com")
    path = tmp_path / "many.csv"
    path.write_text("a@example.com\nb@example.com\nc@example.com\n")
    choice, portions, busy = BulkChoice(verb=BulkVerb.TAG, tags=("vip",)), list[int](), [True]
    tag = container.records.tag

    def tag_later(chosen: list[int], *given: Any, **named: Any) -> int:
        if busy and busy.pop():
            raise DatabaseBusy
        portions.append(len(chosen))
        return tag(chosen, *given, **named)

    monkeypatch.setattr(container.records, "tag", tag_later)
    monkeypatch.setattr("newsletter.services.bulk.PORTION", 2)
    monkeypatch.setattr("subscribers.lists.portions._PAUSE", 0)
    rows = container.bulk_rows.in_file(choice, path)
    changed = container.bulk_changes.change(choice, rows, chosen_by="file many.csv", actor="anna")
    assert (changed, portions) == (3, [2, 1])
    log = [(one.verb, one.detail) for one in container.decisions.about("readers")]
    assert [verb for verb, _ in log] == ["begin bulk change", "bulk change"]
    assert log[1][1] == {"deed": "tag", "chosen_by": "file many.csv", "tags": ["vip"], "changed": 3}
    assert {one.state for one in container.bulk_rows.in_file(choice, path)} == {BulkState.ALREADY}
