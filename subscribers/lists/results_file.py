"""The file of results: what became of each row of a list, in the list's order.

Most rows of a first import are added, and nothing else is to be said of them. So the database
tells only of the others; the rows themselves are kept beside it as they were read, in a file
without a name that goes with the process.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile

from subscribers.spreadsheet import plain_cell

#: A row's line, its result, and the reason.
Outcome = tuple[int, str, str]

_HEAD = b"line,email,result,reason\n"
_ADDED = ("added", "")
# Line and address, where they are written as they are: in all but a few of the rows.
_AS_IT_IS = re.compile(rb"""^\d+\t[^-=+@'",\\\s][^",\\\s]*(?=\t)""", re.MULTILINE)
_AND_ADDED = b'","added",""\n'


class KeptRows:
    """Rows as they were read, to be read again."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  # closed by `close`
        self._sizes: list[int] = []

    def keep(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the blocks, and keep them; a full disk says so before anything was stored."""
        for block in blocks:
            self._file.write(block)
            self._sizes.append(len(block))
            yield block
        self._file.flush()

    def again(self) -> Iterator[bytes]:
        """Yield the blocks that were kept."""
        self._file.seek(0)
        return (self._file.read(size) for size in self._sizes if size)

    def close(self) -> None:
        self._file.close()


def kept_rows(folder: Path) -> closing[KeptRows]:
    return closing(KeptRows(folder))


def results(blocks: Iterable[bytes], outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """Yield the file's text; a row that no outcome is about was added. Both are in their order."""
    yield _HEAD
    coming = iter(outcomes)
    upcoming = next(coming, None)
    for block in blocks:
        last, found = _last_line(block), dict[int, tuple[str, str]]()
        while upcoming and upcoming[0] <= last:
            found[upcoming[0]] = upcoming[1:]
            upcoming = next(coming, None)
        yield (not found and _all_added(block)) or _each(block, found)


def _last_line(block: bytes) -> int:
    start = block.rfind(b"\n", 0, -1) + 1
    return int(block[start : block.index(b"\t", start)])


def _all_added(block: bytes) -> bytes | None:
    """Return the block if its rows were all added, or None if one must be written otherwise."""
    rows = _AS_IT_IS.findall(block)
    if len(rows) != block.count(b"\n"):
        return None
    return b"".join(b'"%b%b' % (row.replace(b"\t", b'","'), _AND_ADDED) for row in rows)


def _each(block: bytes, outcomes: Mapping[int, tuple[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    write = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow
    for row in block.decode().split("\n")[:-1]:
        line, email, _ = row.split("\t", 2)
        # A refused address may be anything, and a spreadsheet would run some of it as a formula.
        shown = plain_cell(email.replace(r"\\", "\\"))
        write((line, shown, *outcomes.get(int(line), _ADDED)))
    return text.getvalue().encode()
