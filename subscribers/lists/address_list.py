"""Reading only the addresses of a list, whatever else its columns say."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from subscribers.lists.cell_words import NOTHING
from subscribers.lists.model import Explanations, read_mapping
from subscribers.lists.reader_process import ListFile, reading
from subscribers.lists.statuses import ImportedStatus


class ListedAddress(NamedTuple):
    """A row of a list, as far as it says who is meant."""

    line: int
    email: str
    problem: str  #: why it is no address; empty if it is one


def read_addresses(
    path: Path, *, columns: tuple[str, ...] = (), encoding: str | None = None
) -> Iterator[ListedAddress]:
    """Yield the addresses of a list; raise InvalidList, or ListQuestions about its encoding.

    `columns` are explanations such as `Mail=email`. No other column is asked about.
    """
    # Nobody is added: this is how the reader is asked to look at nothing but the addresses.
    said = Explanations(columns=read_mapping(columns), listed_as=ImportedStatus.BLOCKED)
    wanted = ListFile(
        path=path,
        encoding=encoding,
        said=said,
        known_topics=frozenset(),
        topic_titles={},
        known_zones=frozenset(),
    )
    with reading(wanted, None) as blocks:
        for block in blocks:
            yield from map(_row, block.decode().split("\n")[:-1])


def _row(line: str) -> ListedAddress:
    number, email, problem = line.split("\t", 3)[:3]
    return ListedAddress(int(number), _plain(email), "" if problem == NOTHING else _plain(problem))


def _plain(cell: str) -> str:
    return cell.replace("\\\\", "\\")
