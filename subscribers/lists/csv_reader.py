r"""A list of subscribers as text: its header, and each row with what is wrong with it.

Nothing is guessed: a cell that cannot be understood refuses its row and says why, and text that is
not CSV at all is an InvalidList, since no row after the broken one can be trusted. One thing comes
first: that somebody left, bounced or complained elsewhere counts, whatever else is wrong with the
row.

Rows are yielded as lines of text, since a million of them are read: values separated by tabs, a
missing one as `\N`, backslashes doubled. PostgreSQL's COPY reads that as it is.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from subscribers.addresses import ADDRESS_LENGTH, is_plain, read_address
from subscribers.errors import InvalidAddress, InvalidList
from subscribers.lists.cell_parsers import CONTROL, NOTHING, Cells, RowRefused
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.formats import (
    Format,
    ImportedStatus,
    normal,
    recognise,
    service_of,
    unexplained,
)
from subscribers.model import SuppressionReason

_DELIMITERS = (",", ";", "\t", "|")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]").match  # see `subscribers.lists.service`

_SUPPRESSES = {
    ImportedStatus.INVALID: SuppressionReason.INVALID,
    ImportedStatus.BOUNCED: SuppressionReason.BOUNCE,
    ImportedStatus.BLOCKED: SuppressionReason.MANUAL,
    ImportedStatus.COMPLAINED: SuppressionReason.COMPLAINT,
}
_LEAVES = (ImportedStatus.LEFT, ImportedStatus.COMPLAINED)

#: Every row has these; which others it has, its list decides.
_ALWAYS = ("line", "email", "problem")
_GONE = ("leaves", "suppress", "gone_at")


@dataclass(frozen=True)
class CsvReader:
    """A list whose header was understood; its rows are read as they are asked for."""

    kind: Format
    ignored_columns: tuple[str, ...]  #: as the list spells them
    fields: tuple[str, ...]  #: what a line says, in its order
    lines: Iterator[str]


def read_csv(
    lines: Iterable[str],
    file: str,
    *,
    mapping: Mapping[str, ColumnMeaning] | None = None,
    known_topics: Collection[str],
    known_zones: Iterable[str],
) -> CsvReader:
    """Read the header of a list and prepare to read its rows, one at a time.

    `lines` keep their line ends. Topics and zones match in any case. Raises InvalidList, naming
    the file, here for the header and while iterating for text that is not CSV.
    """
    lines, mapping = iter(lines), mapping or {}
    delimiter, header, kind = _read_header(next(lines, ""), file, mapping)
    columns = [normal(column) for column in header]
    _check(kind, columns, header, file, mapping)
    reader = _RowReader(columns, kind, Cells(kind, columns, known_topics, known_zones))
    used = {*kind.columns, *kind.statuses}
    ignored = tuple(c for c, known in zip(header, columns, strict=True) if known not in used)
    return CsvReader(kind, ignored, reader.fields, _read_rows(lines, delimiter, file, reader.read))


def _read_header(
    line: str, file: str, mapping: Mapping[str, ColumnMeaning]
) -> tuple[str, list[str], Format]:
    found = [(mark, next(csv.reader([line], delimiter=mark), list[str]())) for mark in _DELIMITERS]
    for delimiter, header in found:
        if kind := recognise(map(normal, header), mapping):
            return delimiter, header, kind
    widest = max((header for _, header in found), key=len)
    raise InvalidList(
        f"{file}: no column is called “email”; found: {', '.join(widest)}"
        " (explain it with THEIR COLUMN=email)"
    )


def _check(
    kind: Format,
    columns: list[str],
    header: list[str],
    file: str,
    mapping: Mapping[str, ColumnMeaning],
) -> None:
    used = [column for column in columns if column in kind.columns]
    if repeated := [column for column in used if used.count(column) > 1]:
        raise InvalidList(f"{file}: more than one column is called “{repeated[0]}”")
    if missing := [column for column in mapping if column not in columns]:
        raise InvalidList(
            f"{file}: there is no column “{missing[0]}” to explain; found: {', '.join(header)}"
        )
    if doubtful := unexplained(kind, columns):
        raise InvalidList(
            f"{file}: the column “{doubtful[0]}” may say who left; explain it (--map) with"
            f" “{doubtful[0]}=status” or “{doubtful[0]}=left”, or ignore it with"
            f" “{doubtful[0]}=ignore”"
        )


def _read_rows(
    lines: Iterator[str], delimiter: str, file: str, read_row: Callable[[int, list[str]], str]
) -> Iterator[str]:
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
    """Reads one record at a time."""

    def __init__(self, columns: list[str], kind: Format, cells: Cells) -> None:
        meanings = [kind.columns.get(column) for column in columns]
        self._service = service_of(kind.name)
        self._width = len(columns)
        self._email = meanings.index(ColumnMeaning.EMAIL)
        self._escaped = kind.escaped
        self._cells = cells
        self._status = cells.status if cells.has_status else None
        self._reasons = cells.has_reasons
        gone = _GONE if self._status else ()
        self.fields = (*_ALWAYS, *gone, *(name for name, _ in cells.readers))
        self._readers = [read for _, read in cells.readers]
        self._present = "\t" + "\t".join([NOTHING] * len(gone)) if gone else ""
        self._blanks = ("\t" + NOTHING) * len(self._readers)

    def read(self, line: int, record: list[str]) -> str:
        """Return what the record says, or what is wrong with it; a short record ends in blanks."""
        if len(record) < self._width:
            record += [""] * (self._width - len(record))
        if self._escaped and "'" in "".join(record):
            record = [cell[1:] if _ESCAPED(cell) else cell for cell in record]
        email = record[self._email].strip()
        try:
            if not is_plain(email):
                email = read_address(email).email
            if len(record) > self._width:
                raise RowRefused(f"{len(record)} fields under {self._width} columns")  # noqa: TRY301  # one row
            status = self._status(record) if self._status else ImportedStatus.SUBSCRIBED
            if (status or self._reasons) and (gone := self._gone(status, record)):
                return f"{line}\t{email}\t{NOTHING}\t{gone}{self._blanks}\n"
            said = "".join(["\t" + read(record) for read in self._readers])
        except (InvalidAddress, RowRefused) as error:
            return self._refused(line, record[self._email], str(error))
        return f"{line}\t{email}\t{NOTHING}{self._present}{said}\n"

    def _gone(self, status: ImportedStatus, record: list[str]) -> str | None:
        """Return that they left, or why they must not be written to; None if they are there."""
        if status is ImportedStatus.UNCONFIRMED:
            raise RowRefused(f"not confirmed in {self._service}: ask them to sign up")
        reason = _SUPPRESSES.get(status) or self._cells.suppressed(record)
        leaves = status in _LEAVES
        if not reason and not leaves:
            return None
        return f"{leaves}\t{reason or NOTHING}\t{self._cells.gone_at(record)}"

    def _refused(self, line: int, email: str, problem: str) -> str:
        shown, why = (
            CONTROL.sub("�", text).replace("\\", r"\\")
            for text in (email[:ADDRESS_LENGTH], problem)
        )
        return f"{line}\t{shown}\t{why}{self._present}{self._blanks}\n"
