r"""A list of subscribers as text: its header, and each row with what is wrong with it.

Nothing is guessed: what must be asked is asked before anything is stored (`questions`), a row
whose person or status cannot be understood is refused and says why, and text that is not CSV at
all is an InvalidList, since no row after the broken one can be trusted. One thing comes first:
that somebody left, bounced or complained elsewhere counts, whatever else is wrong with the row.

Rows are yielded as lines of text, since a million of them are read: values separated by tabs, a
missing one as `\N`, backslashes doubled. PostgreSQL's COPY reads that as it is.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from subscribers.errors import InvalidList
from subscribers.lists.cell_parsers import Cells, topic_words
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.header import Header, read_header
from subscribers.lists.list_format import Format
from subscribers.lists.model import Explanations, with_words
from subscribers.lists.moments import Moments, order_of
from subscribers.lists.questions import (
    SUPPRESSION_COLUMNS,
    Question,
    ask,
    questions_about,
    undecided_columns,
)
from subscribers.lists.row_reader import RowReader

_NAME = "name"  #: of the column that is added where names stand beside the addresses


@dataclass(frozen=True)
class CsvReader:
    """A list whose header was understood; its rows are read as they are asked for."""

    kind: Format
    ignored_columns: tuple[str, ...]  #: as the list spells them
    fields: tuple[str, ...]  #: what a line says, in its order
    lines: Iterator[str]
    warnings: Mapping[str, int]  #: how often each was given, so far


# Over 40 lines: each step to what a header means needs what those before it found.
def read_csv(
    lines: Iterable[str],
    file: str,
    *,
    said: Explanations | None = None,
    known_topics: Collection[str],
    topic_titles: Mapping[str, str] | None = None,
    known_zones: Iterable[str],
    questions: Sequence[Question] = (),
) -> CsvReader:
    """Read the header of a list and prepare to read its rows, one at a time.

    `lines` keep their line ends. Topics (by slug or title) and zones match in any case. Raises
    InvalidList, naming the file, here for the header and while iterating for text that is not CSV;
    ListQuestions for what must be explained, these `questions` among it.
    """
    said = said or Explanations()
    header = read_header(lines, file, said.columns)
    kind, columns = with_words(header.kind, said), header.columns
    _check(kind, header, file, said.columns)
    ask(file, [*questions, *questions_about(header.titles, kind, header.sample, said, file)])
    if said.leaving and SUPPRESSION_COLUMNS.issuperset(columns):
        kind = replace(kind, columns={**kind.columns, "created": ColumnMeaning.LEFT})
    undecided = undecided_columns(header.titles, kind, header.sample, said)
    if _has_names_in_addresses(header, kind):
        columns.append(_NAME)
        kind = replace(kind, columns={**kind.columns, _NAME: ColumnMeaning.NAME})
    topics = topic_words(known_topics, topic_titles or {}, said.topics)
    moments = Moments(said.date_format, order_of(cell for row in header.sample for cell in row))
    cells = Cells(
        kind,
        columns,
        topics=topics,
        known_zones=known_zones,
        moments=moments,
        least=said.leaving,
    )
    reader = RowReader(columns, kind, cells, undecided)
    late = (column.question(kind, said) for column in undecided)
    return CsvReader(
        kind,
        _ignored(header, kind),
        reader.fields,
        _read_rows(header, file, reader, late),
        reader.warnings,
    )


def _has_names_in_addresses(header: Header, kind: Format) -> bool:
    meanings = [kind.columns.get(column) for column in header.columns]
    if ColumnMeaning.NAME in meanings or ColumnMeaning.FIRST_NAME in meanings:
        return False
    place = meanings.index(ColumnMeaning.EMAIL)
    return kind.columns.get(_NAME) in (None, ColumnMeaning.NAME) and any(
        len(row) > place and "<" in row[place] for row in header.sample
    )


def _ignored(header: Header, kind: Format) -> tuple[str, ...]:
    used = kind.columns.keys() | kind.statuses.keys()
    return tuple(
        title
        for title, column in zip(header.titles, header.columns, strict=True)
        if column not in used
    )


def _check(kind: Format, header: Header, file: str, mapping: Mapping[str, ColumnMeaning]) -> None:
    columns = header.columns
    used = [column for column in columns if column in kind.columns]
    if repeated := [column for column in used if used.count(column) > 1]:
        raise InvalidList(f"{file}: more than one column is called “{repeated[0]}”")
    if missing := [column for column in mapping if column not in columns]:
        found = ", ".join(header.titles)
        raise InvalidList(f"{file}: there is no column “{missing[0]}” to explain; found: {found}")
    if ColumnMeaning.EMAIL not in map(kind.columns.get, columns):
        raise InvalidList(f"{file}: no column is the address; explain it with THEIR COLUMN=email")


def _read_rows(
    header: Header, file: str, rows: RowReader, late: Iterable[Question | None]
) -> Iterator[str]:
    """Yield the rows; `late` is what must be asked once all of them were read."""
    reader = csv.reader(header.lines, delimiter=header.delimiter, strict=True)
    line = header.first_line
    try:
        for record in reader:
            if record and (text := rows.read(line, record)):
                yield text
            line = reader.line_num + header.first_line
    except csv.Error as error:
        raise InvalidList(
            f"{file}, line {line}: not CSV ({error}); is a quote missing or left open?"
        ) from error
    ask(file, [question for question in late if question])
