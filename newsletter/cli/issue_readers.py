"""`newsletter issue people`: the readers behind a number of an issue, shown or as CSV."""

import csv
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, Date, Slug, actor, answer, console, container, issue_of
from newsletter.core.issue_people import IssueGroup, IssueReading
from subscribers.spreadsheet import plain_cell

if TYPE_CHECKING:
    from newsletter.core.issue_people import IssuePerson

app = typer.Typer()

_GROUPS = {one.value: one for one in (*IssueReading, *IssueGroup)}


@app.command()
def people(
    group: Annotated[str, Argument(metavar="WORD", help=f"Of whom: {', '.join(_GROUPS)}.")],
    path: Annotated[
        str | None,
        Option("--csv", metavar="FILE", help="Write all of them to a file; - writes to stdout."),
    ] = None,
    limit: common.Limit = 50,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """List who got, opened or clicked an issue, or whose letter bounced; the log says who asked.

    Opened and clicked are what a person did, as far as can be told: mail programs that load
    pictures by themselves count as nobody.
    """
    chosen = _GROUPS.get(group)
    if chosen is None:
        raise typer.BadParameter(f"{group!r} is none of {', '.join(_GROUPS)}")
    stored = container().publishing.issue(*issue_of(newsletter, date))
    found = container().issue_people.all(stored, chosen, actor=actor())
    if path == "-":
        _write(sys.stdout, found)
    elif path:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            count = _write(file, found)
        data = {"file": path, "people": count}
        text = f"{count:,} {chosen.value}: {escape(path)}"
        answer(data, as_json=as_json, show=lambda: console.print(text))
    else:
        some = list(islice(found, limit + 1))
        answer(some[:limit], as_json=as_json, show=lambda: _print(some, limit))


def _write(file: TextIO, found: "Iterable[IssuePerson]") -> int:
    written, count = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL), 0
    written.writerow(("email", "reason"))
    for count, one in enumerate(found, 1):  # noqa: B007  # the count is the answer
        written.writerow((plain_cell(one.email), plain_cell(one.reason)))
    return count


def _print(some: "list[IssuePerson]", limit: int) -> None:
    rows = ((escape(one.email), f"[dim]{escape(one.reason)}[/]") for one in some[:limit])
    console.print(common.grid(rows) if some else "Nobody.")
    if len(some) > limit:
        console.print("[dim]There are more: --csv writes all of them.[/]")
