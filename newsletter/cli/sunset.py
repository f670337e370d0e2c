"""`newsletter subscribers sunset`: who is asked whether they still want it, and who is paused."""

from typing import Annotated

import typer

from newsletter.cli.common import AsJson, Slug, answer, console, house, list_of

app = typer.Typer()


@app.command()
def sunset(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", metavar="", help="Count who would be, and change nothing."),
    ] = False,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Ask who has not read for long, and pause who did not answer, as the clock does each hour."""
    which, desk = list_of(newsletter), house().sunset
    found = desk.count(which) if dry_run else desk.go(which)
    would = "would be " if dry_run else ""
    answer(
        {"dry_run": dry_run, "asked": found.asked, "paused": found.paused},
        as_json=as_json,
        say=lambda: console.print(
            f"{which.name}: {found.asked:,} {would}asked whether they still want it, "
            f"{found.paused:,} {would}paused"
        ),
    )
