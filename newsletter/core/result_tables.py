"""The tables of an issue's results as rows of cells, for a spreadsheet."""

from collections.abc import Iterable, Iterator

from newsletter.core.results import IssueResults, ResultLine, ResultWord
from subscribers.spreadsheet import plain_cell

Cells = tuple[str, ...]

_LINK = ("people", "machines_alone", "share_of_sent")


def story_rows(results: IssueResults) -> Iterator[Cells]:
    """Yield a head, and a row for each story."""
    yield ("story", "topics", "sent", *_LINK)
    for one in results.stories:
        topics = ";".join(one.topics)
        yield _cells(one.title, topics, one.sent, one.people, one.machines, one.share)


def topic_rows(results: IssueResults) -> Iterator[Cells]:
    yield ("topic", "stories", "sent", *_LINK)
    for one in results.topics:
        yield _cells(one.topic, one.stories, one.sent, one.people, one.machines, one.share)


def figure_rows(results: IssueResults) -> Iterator[Cells]:
    """Yield a head, and a row for each figure of the issue with its share of what arrived."""
    yield ("figure", "letters", "share_of_arrived")
    yield _cells("accepted", results.accepted, None)
    for word in ResultWord:
        yield _cells(word.value, results.count(word), results.share(results.count(word)))
    yield _cells("left", results.left, results.share(results.left))
    yield _cells("no_answer", results.no_answer, None)


def trend_rows(lines: Iterable[ResultLine]) -> Iterator[Cells]:
    yield ("date", "weekday", "accepted", *(word.value for word in ResultWord))
    for one in lines:
        yield _cells(f"{one.date}", f"{one.date:%A}", one.accepted, *map(one.count, ResultWord))


def _cells(*values: str | float | None) -> Cells:
    return tuple(map(_cell, values))


def _cell(value: str | float | None) -> str:
    """Return a value as text; an apostrophe keeps a spreadsheet from running it as a formula."""
    match value:
        case None:
            return ""
        case float():
            return f"{value:.4f}"
        case str():
            return plain_cell(value)
        case _:
            return str(value)
