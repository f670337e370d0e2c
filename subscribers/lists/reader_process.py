"""Reading a list in blocks of staged rows; a long one in a process of its own.

To read a million rows takes as long as to store them. A second process reads ahead while the
database stores what was read; both talk in pickles over pipes.
"""

import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from subscribers.errors import InvalidList
from subscribers.lists.csv_reader import read_csv
from subscribers.lists.encoding import open_list
from subscribers.lists.model import Explanations

Progress = Callable[[int, int], object]  #: called with the bytes read, and the size of the list

_ROWS = 2_000  #: in a block
_LONG = 2_000_000  #: bytes; a shorter list is read before another process has begun
_READER = "from subscribers.lists.reader_process import answer; answer()"


@dataclass(frozen=True, kw_only=True)
class ListFile:
    """A list to be read, and the topics and zones that its rows may name."""

    path: Path
    encoding: str | None
    said: Explanations
    known_topics: frozenset[str]
    topic_titles: Mapping[str, str]  #: slugs, by title
    known_zones: frozenset[str]


@dataclass(frozen=True)
class Head:
    """What a list's header says."""

    kind: str
    encoding: str
    ignored_columns: tuple[str, ...]
    fields: tuple[str, ...]  #: what each staged row holds


@dataclass(frozen=True)
class Block:
    """Some rows, as lines for staging."""

    lines: bytes
    rows: int
    position: int
    size: int
    warnings: Mapping[str, int] = field(default_factory=dict[str, int])  #: of all; in the last one


class ListReading:
    """A list that is being read: its head, and its rows as they are asked for."""

    def __init__(self, parts: Iterator[Any], on_progress: Progress | None) -> None:
        head = next(parts)
        assert isinstance(head, Head)  # the first part is
        self.head = head
        self.rows = 0  #: read so far
        self.warnings: Mapping[str, int] = {}  #: how often each was given, once all is read
        self._parts: Iterator[Block] = parts
        self._on_progress = on_progress

    def __iter__(self) -> Iterator[bytes]:
        for block in self._parts:
            self.rows += block.rows
            self.warnings = block.warnings
            if self._on_progress:
                self._on_progress(block.position, block.size)
            yield block.lines


@contextmanager
def reading(list_file: ListFile, on_progress: Progress | None) -> Generator[ListReading]:
    """Read a list; InvalidList, here or while iterating, says why it cannot be read."""
    try:
        long = list_file.path.stat().st_size > _LONG
    except OSError as error:
        raise InvalidList(f"{list_file.path}: {error.strerror}") from error
    with closing(_in_process(list_file) if long else parts_of(list_file)) as parts:
        yield ListReading(parts, on_progress)


def parts_of(list_file: ListFile) -> Generator[Head | Block]:
    with open_list(list_file.path, list_file.encoding) as opened:
        reader = read_csv(
            opened.text,
            list_file.path.name,
            said=list_file.said,
            known_topics=list_file.known_topics,
            topic_titles=list_file.topic_titles,
            known_zones=list_file.known_zones,
            questions=opened.questions,
        )
        yield Head(reader.kind.name, opened.encoding, reader.ignored_columns, reader.fields)
        while lines := list(islice(reader.lines, _ROWS)):
            yield Block("".join(lines).encode(), len(lines), opened.position, opened.size)
        yield Block(b"", 0, opened.size, opened.size, dict(reader.warnings))


def _in_process(list_file: ListFile) -> Generator[Head | Block]:
    command = [sys.executable, "-c", _READER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own interpreter and our own line
        assert process.stdin
        assert process.stdout
        try:
            with suppress(BrokenPipeError), process.stdin:  # it died, which its answer says
                pickle.dump(list_file, process.stdin)
            yield from _answers(process.stdout)
        finally:
            process.kill()


def _answers(pipe: IO[bytes]) -> Iterator[Head | Block]:
    while True:
        try:
            part = pickle.load(pipe)  # noqa: S301  # from our own process
        except (EOFError, pickle.UnpicklingError):  # between two parts, or amid one
            raise InvalidList("the process that read the list has died") from None
        if part is None:
            return
        if isinstance(part, Exception):
            raise part
        yield part


def answer() -> None:
    """Read the list that standard input names, and answer with its parts; then with None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    list_file = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the process that started this one
    try:
        for part in parts_of(list_file):
            pickle.dump(part, sys.stdout.buffer)
        pickle.dump(None, sys.stdout.buffer)
    except BrokenPipeError:  # nobody wants the rest
        sys.stdout = None
    except Exception as error:  # noqa: BLE001  # raised again in that process
        pickle.dump(error, sys.stdout.buffer)
