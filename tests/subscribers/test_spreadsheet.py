"""Cells that a spreadsheet would run, and those that it would not."""

from pathlib import Path

import pytest

from subscribers.bulk.service import BulkRows
from subscribers.records.model import BulkRow, BulkState
from subscribers.spreadsheet import plain_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "'=1"])
def test_what_would_be_run_has_an_apostrophe_in_front(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "reader@example.com", "1=1", "a-b", "'quoted'"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert plain_cell(text) == text


def test_what_became_of_a_list_is_no_formula_either(tmp_path: Path) -> None:
    path = tmp_path / "list.results.csv"
    row = BulkRow(7, "=cmd()@example", BulkState.REFUSED, problem="no address;=1+1")
    BulkRows.write(path, [row], {BulkState.REFUSED: "refused"})
    assert path.read_text().splitlines() == [
        '"line","email","result","reason"',
        '''"7","'=cmd()@example","refused","no address;=1+1"''',
    ]
