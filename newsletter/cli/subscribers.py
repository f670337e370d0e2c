"""`newsletter subscribers`: the lists."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from newsletter.cli.desk import AsJson, Slug, answer, console, house, newsletter_of, unwatched
from subscribers.model import ImportReport

app = typer.Typer(no_args_is_help=True, help="Keep the lists.")


@app.command("import")
def import_list(
    path: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The list, in UTF-8.")],
    newsletter: Slug = None,
    consent: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="Where the subscribers' consent comes from; kept as evidence."
        ),
    ] = "list import",
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The result file; beside the list by default."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", metavar="", help="Say what would happen, and store nothing."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add subscribers from a CSV list: email, name, topics (a;b), timezone.

    A row that is wrong is refused by itself; the result file says what became of each row. Someone
    who left, or whose address must not be written to, stays so.
    """
    which = newsletter_of(newsletter)
    with Progress(console=console, transient=True, disable=unwatched(as_json=as_json)) as progress:
        bar = progress.add_task("reading", total=None)
        report = house().subscriptions.import_list(
            path,
            which.slug,
            known_topics=which.topic_slugs,
            default_zone=which.timetable.zone,
            consent_source=consent,
            now=house().clock.now(),
            results=results,
            dry_run=dry_run,
            on_progress=lambda done, size: progress.update(bar, completed=done, total=size),
        )
    answer(report, as_json=as_json, say=lambda: _say(report))


def _say(report: ImportReport) -> None:
    told = ", ".join(f"{count:,} {result}" for result, count in report.counts.items() if count)
    would = "would be: " if report.dry_run else ""
    console.print(f"{report.rows:,} rows: {would}{told or 'nothing'}")
    if report.ignored_columns:
        console.print(f"[dim]columns not used: {escape(', '.join(report.ignored_columns))}[/]")
    console.print(f"[dim]row by row: {escape(report.results)}[/]")
