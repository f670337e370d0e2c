"""`newsletter issue skip` and `unskip`: days on which a newsletter has no issue."""

from typing import Annotated

import typer
from rich.markup import escape
from typer import Option

from newsletter.cli.common import AsJson, Date, Slug, actor, answer, console, container, issue_of

app = typer.Typer()


@app.command()
def skip(
    because: Annotated[str, Option("--because", help="The reason, recorded for good.")],
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Make no issue on a day: it is neither assembled nor sent, and not reported as missed."""
    which, on = issue_of(newsletter, date)
    skipped = container().skipped_days.skip(which, on, because=because, actor=actor())
    data = {"newsletter": which.slug, "date": str(on), "by": skipped.by, "because": skipped.because}
    text = f"{which.slug} has no issue on {on}: {escape(skipped.because)}"
    answer(data, as_json=as_json, show=lambda: console.print(text))


@app.command()
def unskip(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Let a skipped day have its issue again."""
    which, on = issue_of(newsletter, date)
    was = container().skipped_days.unskip(which, on, actor=actor())
    data = {"newsletter": which.slug, "date": str(on), "was_skipped": was}
    text = f"{which.slug} has its issue of {on} again" if was else f"{on} was not skipped"
    answer(data, as_json=as_json, show=lambda: console.print(text))
