"""A list's files: the one that is read and counted, and the one that answers for its rows."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from subscribers.errors import InvalidList
from subscribers.roster import Row

Progress = Callable[[int, int], object]  #: told the bytes read, and the size of the file

_ROWS_PER_TELLING = 2_000


def open_list(path: Path) -> TextIO:
    """Open the list as UTF-8, with or without a byte order mark; raise InvalidList."""
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InvalidList(f"{path}: {error.strerror}") from error


@contextmanager
def written_whole(path: Path) -> Generator[BinaryIO]:
    """Yield a file that takes this path only once all of it is written, and else leaves nothing."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class CountedRows:
    """The rows of a list, counted as they are taken, and told to whoever watches."""

    def __init__(
        self, rows: Iterator[Row], lines: TextIO, size: int, tell: Progress | None
    ) -> None:
        self.taken = 0
        self._rows = rows
        self._lines = lines
        self._size = size
        self._tell = tell

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.taken += 1
            if self._tell and self.taken % _ROWS_PER_TELLING == 0:
                self._tell(self._lines.buffer.tell(), self._size)
            yield row
        if self._tell:
            self._tell(self._size, self._size)


def undecodable_line(path: Path) -> int:
    """Return the first line of the file, counted from 1, that is not UTF-8."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0  # the file has changed since
