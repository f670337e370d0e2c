"""A list of subscribers as text: its header, and each row with what is wrong with it.

Nothing is guessed: a cell that cannot be understood refuses its row and says why. Text that is not
CSV at all is an InvalidList, since no row after the broken one can be trusted.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from subscribers.addresses import ADDRESS_LENGTH, read_address
from subscribers.errors import InvalidAddress, InvalidList
from subscribers.model import EVERYTHING, TopicSet

COLUMNS = ("email", "name", "topics", "timezone")
NAME_LENGTH = 200  #: characters; a longer "name" is some other column's text
TOPIC_SEPARATOR = ";"

_DELIMITERS = (",", ";", "\t")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # PostgreSQL has no text with a NUL, letters want none


class Row(NamedTuple):
    """One row as it was understood."""

    line: int  #: where it begins in the file, counted from 1
    email: str  #: as typed when the row is refused, cut and without control characters
    email_key: str
    name: str
    topics: str | None  #: slugs, sorted and joined by semicolons; None: the list does not say
    zone: str | None  #: IANA name; None: the list does not say
    problem: str | None  #: why the row is refused; None when it is good


@dataclass(frozen=True)
class Roster:
    """A list whose header was understood; its rows are read as they are asked for."""

    ignored_columns: tuple[str, ...]
    rows: Iterator[Row]


class _Refused(ValueError):
    """A cell cannot be understood."""


def read_roster(
    lines: Iterable[str], file: str, *, known_topics: Collection[str], known_zones: Iterable[str]
) -> Roster:
    """Read the header of a list and prepare to read its rows, one at a time.

    `lines` keep their line ends. Topics and zones match in any case. Raises InvalidList, naming
    the file, here for the header and while iterating for text that is not CSV.
    """
    lines = iter(lines)
    delimiter, header = _read_header(next(lines, ""), file)
    read_row = _RowReader(header, known_topics, known_zones).read
    ignored = tuple(column for column in header if column not in COLUMNS)
    return Roster(ignored, _read_rows(lines, delimiter, file, read_row))


def _read_header(line: str, file: str) -> tuple[str, list[str]]:
    found = [(delimiter, _split_header(line, delimiter)) for delimiter in _DELIMITERS]
    delimiter, header = next(
        (choice for choice in found if "email" in choice[1]),
        max(found, key=lambda choice: len(choice[1])),
    )
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if "email" not in header:
        raise InvalidList(f"{file}: no column is called “email”; found: {', '.join(header)}")
    if twice:
        raise InvalidList(f"{file}: more than one column is called “{twice[0]}”")
    return delimiter, header


def _split_header(line: str, delimiter: str) -> list[str]:
    cells = next(csv.reader([line], delimiter=delimiter), list[str]())
    return [known if (known := cell.strip().lower()) in COLUMNS else cell for cell in cells]


def _read_rows(
    lines: Iterator[str], delimiter: str, file: str, read_row: Callable[[int, list[str]], Row]
) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 2
    try:
        for record in reader:
            if record:
                yield read_row(line, record)
            line = reader.line_num + 2  # the header was read before
    except csv.Error as error:
        raise InvalidList(
            f"{file}, line {line}: not CSV ({error}); is a quote missing or left open?"
        ) from error


class _RowReader:
    """Reads one record at a time; what it works out for topics and zones it remembers."""

    def __init__(
        self, header: list[str], known_topics: Collection[str], known_zones: Iterable[str]
    ) -> None:
        self._width = len(header)
        self._places = [header.index(name) if name in header else None for name in COLUMNS]
        self._known_topics = frozenset(known_topics)
        self._zones = {zone.lower(): zone for zone in known_zones}
        self._topics = lru_cache(4096)(self._read_topics)
        self._zone = lru_cache(4096)(self._read_zone)

    def read(self, line: int, record: list[str]) -> Row:
        """Return what the record says, or what is wrong with it; a short record ends in blanks."""
        record += [""] * (self._width - len(record))
        email, name, topics, zone = (
            "" if place is None else record[place] for place in self._places
        )
        try:
            if len(record) > self._width:
                raise _Refused(f"{len(record)} fields under {self._width} columns")  # noqa: TRY301
            address = read_address(email)
            return Row(
                line,
                address.email,
                address.key,
                _read_name(name),
                self._topics(topics),
                self._zone(zone),
                None,
            )
        except (InvalidAddress, _Refused) as error:
            shown = _CONTROL.sub("�", email[:ADDRESS_LENGTH])
            return Row(line, shown, "", "", None, None, _CONTROL.sub("�", str(error)))

    def _read_topics(self, text: str) -> str | None:
        slugs = {slug for part in text.lower().split(TOPIC_SEPARATOR) if (slug := part.strip())}
        if unknown := sorted(slugs.difference(self._known_topics, {EVERYTHING})):
            raise _Refused(f"unknown topic: {', '.join(unknown)[:NAME_LENGTH]}")
        return TOPIC_SEPARATOR.join(sorted(TopicSet.of(slugs).slugs)) if slugs else None

    def _read_zone(self, text: str) -> str | None:
        typed = text.strip()
        if typed.lower() not in self._zones:
            if not typed:
                return None
            raise _Refused(f"unknown time zone: {typed[:NAME_LENGTH]}")
        return self._zones[typed.lower()]


def _read_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > NAME_LENGTH:
        raise _Refused(f"the name is longer than {NAME_LENGTH} characters")
    if not name.isprintable() and _CONTROL.search(name):
        raise _Refused("a control character in the name")
    return name
