"""Cells that a spreadsheet would run, and those that it would not."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from subscribers.bulk.service import BulkRows
from subscribers.db.transaction import scalar, transaction
from subscribers.records.model import BulkRow, BulkState
from subscribers.spreadsheet import plain_cell, plain_cell_sql, read_plain_cell

CELLS = st.text(st.sampled_from("=+-@'\t\r\n\\ a1;") | st.characters(codec="utf-8"), max_size=6)


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


@given(cell=CELLS)
def test_what_was_made_plain_is_read_as_it_was(cell: str) -> None:
    assert read_plain_cell(plain_cell(cell)) == cell


@pytest.mark.postgres
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(CELLS.filter(lambda cell: "\0" not in cell), max_size=20))
def test_the_database_makes_the_same_cells_plain(engine: Engine, cells: list[str]) -> None:
    statement = f"SELECT ARRAY(SELECT {plain_cell_sql('c')} FROM unnest(%(cells)s::text[]) AS c)"
    with transaction(engine) as session:
        assert scalar(session, statement, {"cells": cells}) == list(map(plain_cell, cells))
