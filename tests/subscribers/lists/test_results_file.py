"""The file of results says of each row what became of it, however it was written."""

import csv
import io
from os import fstat
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.lists.encoding import written_whole
from subscribers.lists.results_file import kept_rows, results
from subscribers.spreadsheet import plain_cell

ADDRESS = st.text(st.sampled_from("ab@.-=+,\"'\\ é"), max_size=6)
ROW = st.tuples(
    ADDRESS, st.sampled_from([None, ("refused", 'not "an" address, at all'), ("ended", "")])
)


def staged(line: int, email: str) -> str:
    escaped = email.replace("\\", "\\\\")
    return f"{line}\t{escaped}\t\\N\t\\N\tchips\n"


def read(parts: list[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(parts).decode(), newline="")))


@given(st.lists(st.lists(ROW, min_size=1, max_size=3), max_size=3))
def test_each_row_is_answered_once_in_the_order_of_the_list(blocks) -> None:
    line, texts, outcomes, expected = 1, [], [], [["line", "email", "result", "reason"]]
    for block in blocks:
        texts.append("")
        for email, outcome in block:
            line += 2  # a blank line between
            texts[-1] += staged(line, email)
            expected.append([str(line), plain_cell(email), *(outcome or ("added", ""))])
            outcomes += [(line, *outcome)] if outcome else []
    assert read(list(results((text.encode() for text in texts), outcomes))) == expected


def test_a_block_of_rows_that_were_all_added_is_written_as_it_is() -> None:
    block = (staged(2, "a@example.com") + staged(3, "o'b@example.com")).encode()
    parts = list(results([block], []))
    assert parts[1] == (b'"2","a@example.com","added",""\n"3","o\'b@example.com","added",""\n')


def test_rows_are_kept_in_a_file_that_nobody_sees(tmp_path: Path) -> None:
    blocks = [b"2\ta@example.com\t\\N\t\\N\n", b"", b"3\tb@example.com\t\\N\t\\N\n"]
    with kept_rows(tmp_path) as kept:
        assert list(kept.keep(blocks)) == blocks
        assert list(kept.again()) == [blocks[0], blocks[2]]
        assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_disk_has_no_space_for_is_named_and_gone(tmp_path: Path) -> None:
    before = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="cannot be written: File too large") as failed:  # noqa: PT012, SIM117  # one act
            with written_whole(tmp_path / "list.results.csv") as file:
                file.write(b"more than ten bytes")
                file.flush()
    finally:
        setrlimit(RLIMIT_FSIZE, before)
    assert failed.value.filename == str(tmp_path / "list.results.csv")
    assert list(tmp_path.iterdir()) == []


def test_all_rows_are_on_the_disk_before_anything_is_stored(tmp_path: Path) -> None:
    """One that is full says so in time."""
    blocks = [b"2\ta@example.com\t\\N\t\\N\n"]
    with kept_rows(tmp_path) as kept:
        list(kept.keep(blocks))
        assert fstat(kept._file.fileno()).st_size == len(blocks[0])
