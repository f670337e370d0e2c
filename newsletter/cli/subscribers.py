"""`newsletter subscribers`: lists in, lists out."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress

from newsletter.cli.common import (
    AsJson,
    Slug,
    actor,
    answer,
    console,
    house,
    list_of,
    unwatched,
)
from newsletter.errors import ConfigurationError
from subscribers.model import ImportReport, PastImport, Undone

app = typer.Typer(no_args_is_help=True, help="Keep the lists.")

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", metavar="", help="Say what would happen, and store nothing."),
]


@app.command("import")
def import_list(
    path: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The list, or a ZIP of one.")],
    consent: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="Where the subscribers' consent comes from; kept as evidence."
        ),
    ],
    newsletter: Slug = None,
    explained: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=WORD",
            help="What a column says: email, name, first name, last name, topics, tags, timezone,"
            " frequency, joined, status, left, or ignore. May be given several times.",
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the text; found out by default.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The result file; beside the list by default."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add subscribers from a list: our own, or an export of another service.

    Mailchimp, Substack, beehiiv, Buttondown, listmonk and Ghost are known by their columns; of any
    other list, --map says what its columns mean. A row that is wrong is refused by itself; the
    result file says what became of each row. Whoever left, bounced or complained, here or there,
    is not written to.
    """
    which = list_of(newsletter)
    with Progress(console=console, transient=True, disable=unwatched(as_json=as_json)) as progress:
        bar = progress.add_task("reading", total=None)
        report = house().lists.import_list(
            path,
            which.slug,
            known_topics=which.topic_slugs,
            default_zone=which.timetable.zone,
            consent_source=consent,
            explained=explained or (),
            encoding=encoding,
            actor=actor(),
            now=house().clock.now(),
            results=results,
            dry_run=dry_run,
            on_progress=lambda done, size: progress.update(
                bar,
                completed=done,
                total=size,
                description="reading" if done < size else "storing",
            ),
        )
    answer(report, as_json=as_json, say=lambda: _say(report))


@app.command("imports")
def imports(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List what was imported, when and by whom, the latest first."""
    found = house().lists.imports(list_of(newsletter).slug)
    answer(found, as_json=as_json, say=lambda: _say_imports(found))


@app.command("undo")
def undo(
    number: Annotated[int, typer.Argument(metavar="IMPORT", help="Its number; see imports.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take an import back: what it added goes, what it changed becomes what it was.

    Subscriptions whose owners did something since stay, and so does every goodbye it brought.
    """
    undone = house().lists.undo(number, now=house().clock.now(), actor=actor(), dry_run=dry_run)
    answer(undone, as_json=as_json, say=lambda: _say_undone(undone))


@app.command("export")
def export(
    path: Annotated[
        str,
        typer.Argument(metavar="FILE", help="Ends in .csv or .ndjson; - writes CSV to stdout."),
    ],
    newsletter: Slug = None,
    segment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only who is in this saved segment.")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="Only mailable, active, paused, ended or suppressed."),
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="SLUG", help="Only who chose any of these.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only who has any of these.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write subscriptions to a file, which `import` takes back and changes nothing.

    Cells that a spreadsheet would run as a formula begin with an apostrophe.
    """
    which = list_of(newsletter)
    said = {"status": status, "topics": topic, "tags": tag}
    if segment and any(said.values()):
        raise ConfigurationError("a segment says by itself who is in it: leave the others out")
    chosen = (
        house().segments.get(which.slug, segment).filter
        if segment
        else house().segments.read(said, which.topic_slugs)
    )
    lists, now = house().lists, house().clock.now()
    if path == "-":
        lists.export(which.slug, chosen, sys.stdout.buffer.write, now=now)
    else:
        written = {
            "file": path,
            "subscriptions": lists.write(Path(path), which.slug, chosen, now=now),
        }
        answer(written, as_json=as_json, say=lambda: _say_written(written))


def _say_written(written: dict[str, Any]) -> None:
    console.print(f"{written['subscriptions']:,} subscriptions: {escape(written['file'])}")


def _say(report: ImportReport) -> None:
    told = ", ".join(f"{count:,} {result}" for result, count in report.counts.items() if count)
    would = "would be: " if report.dry_run else ""
    number = f"import {report.import_id}: " if report.import_id else ""
    console.print(f"{number}{report.rows:,} rows: {would}{told or 'nothing'}")
    console.print(f"[dim]read as: {escape(report.format)}, {report.encoding}[/]")
    if report.ignored_columns:
        console.print(f"[dim]columns not used: {escape(', '.join(report.ignored_columns))}[/]")
    console.print(f"[dim]row by row: {escape(report.results)}[/]")


def _say_imports(found: tuple[PastImport, ...]) -> None:
    if not found:
        console.print("nothing was imported yet")
        return
    for one in found:
        rows = ", ".join(f"{count:,} {result}" for result, count in one.counts.items() if count)
        undone = f", undone {one.undone_at:%Y-%m-%d}" if one.undone_at else ""
        console.print(
            f"[bold]{one.id}[/] {one.at:%Y-%m-%d %H:%M} {escape(f'{one.file} ({one.format})')}"
            f" by {escape(one.actor)}: {rows or 'no rows'}{undone}"
        )
        console.print(f"  [dim]consent: {escape(one.consent_source)}[/]")


def _say_undone(undone: Undone) -> None:
    if undone.before:
        console.print(f"import {undone.import_id} was undone before; nothing is left to do")
        return
    would = "would be " if undone.dry_run else ""
    console.print(
        f"import {undone.import_id}: {undone.removed:,} {would}removed,"
        f" {undone.restored:,} {would}changed back"
    )
    if undone.goodbyes or undone.suppressions:
        console.print(
            "what it told of people who left stays:"
            f" goodbyes {undone.goodbyes:,}, suppressions {undone.suppressions:,}"
        )
    for one in undone.stayed:
        console.print(f"  stays: {escape(one.email)} ({one.why})")
