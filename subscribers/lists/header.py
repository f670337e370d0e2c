"""Where a list begins, which separator it has, and what its columns are called."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from subscribers.addresses import read_address
from subscribers.errors import InvalidAddress, InvalidList
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.formats import recognise
from subscribers.lists.list_format import Format
from subscribers.lists.statuses import normal

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 2_000  #: lines that are looked at before anything is read

SampleRecords = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Header:
    """The columns of a list, and its rows still to be read."""

    delimiter: str
    titles: list[str]  #: as the list spells them; a column that no cell names has its number
    kind: Format
    lines: Iterator[str]
    first_line: int  #: of its rows
    sample: SampleRecords  #: the first records

    @property
    def columns(self) -> list[str]:
        return [normal(title) for title in self.titles]


def read_header(lines: Iterable[str], file: str, mapping: Mapping[str, ColumnMeaning]) -> Header:
    """Read up to a list's header and look at its first rows; raise InvalidList."""
    rest = iter(lines)
    line, number, delimiters = "", 0, _DELIMITERS
    for line in rest:
        number += 1
        bare = line.strip().strip("\ufeff")
        if bare.lower().startswith("sep=") and len(bare) == len("sep=") + 1:
            delimiters = (bare[-1],)
        elif bare.strip(",;\t| ") and not bare.startswith("#"):
            break
    else:
        line = ""
    if _is_address(line):  # a list of bare addresses has no header
        rest, line, number = chain([line], rest), "email\n", number - 1
    found = [(mark, next(csv.reader([line], delimiter=mark), list[str]())) for mark in delimiters]
    for delimiter, cells in found:
        titles = _titles(cells)
        if kind := recognise(map(normal, titles), mapping):
            head = list(islice(rest, _SAMPLE))
            sample = _records(head, delimiter)
            return Header(delimiter, titles, kind, chain(head, rest), number + 1, sample)
    widest = max((cells for _, cells in found), key=len)
    raise InvalidList(
        f"{file}: no column is called “email”; found: {', '.join(widest)}"
        " (explain it with THEIR COLUMN=email)"
    )


def _titles(cells: Sequence[str]) -> list[str]:
    titles = [cell.strip().strip("\ufeff") for cell in cells]
    while titles and not titles[-1]:
        titles.pop()
    return [title or f"column {number}" for number, title in enumerate(titles, 1)]


def _is_address(line: str) -> bool:
    if "@" not in line:
        return False
    try:
        read_address(line.strip().strip('"'))
    except InvalidAddress:
        return False
    return True


def _records(lines: Sequence[str], delimiter: str) -> SampleRecords:
    """Return the records of these lines up to where they are no CSV, or end in the middle."""
    found: list[list[str]] = []
    try:
        for record in csv.reader(lines, delimiter=delimiter, strict=True):
            found.append(record)  # noqa: PERF402  # what was read before an error counts
    except csv.Error:
        pass
    return [record for record in found if any(record)]
