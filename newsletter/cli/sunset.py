"""`newsletter subscribers sunset`: ask inactive readers, and pause those who do not answer."""

from typing import Annotated

import typer

from newsletter.cli.common import AsJson, Slug, answer, console, container, list_of

app = typer.Typer()


@app.command()
def sunset(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", metavar="", help="Only count, and change nothing."),
    ] = False,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Ask inactive readers whether they still want it, and pause those who did not answer.

    The scheduler does this every hour.
    """
    which, service = list_of(newsletter), container().sunset
    found = service.count(which) if dry_run else service.ask_inactive_readers(which)
    would = "would be " if dry_run else ""
    answer(
        {"dry_run": dry_run, "asked": found.asked, "paused": found.paused},
        as_json=as_json,
        show=lambda: console.print(
            f"{which.name}: {found.asked:,} {would}asked whether they still want it, "
            f"{found.paused:,} {would}paused"
        ),
    )
