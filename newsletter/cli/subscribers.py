"""`newsletter subscribers`: import and export lists."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli import common, health, importing, people
from newsletter.cli.common import AsJson, DryRun, Slug, actor, answer, console, container, list_of
from newsletter.errors import ConfigurationError
from subscribers.model import PastImport, Undone

if TYPE_CHECKING:
    from newsletter.core.publication import Newsletter
    from subscribers.lists.purge import Purged
    from subscribers.segments.filters import Filter

app = typer.Typer(no_args_is_help=True, help="Manage subscribers and lists.")
for _group in (importing, people, health):
    app.add_typer(_group.app)


@app.command("imports")
def imports(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List past imports, newest first."""
    found = container().lists.imports(list_of(newsletter).slug)
    answer(found, as_json=as_json, show=lambda: _print_imports(found))


@app.command("undo")
def undo(
    number: Annotated[
        int, Argument(metavar="IMPORT", help="The number of the import; see imports.")
    ],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Undo an import: remove what it added, and change back what it changed.

    Subscriptions that their owners changed since are kept, and so is every unsubscribe it brought.
    """
    container().give_way()
    now = container().clock.now()
    undone = container().lists.undo(number, now=now, actor=actor(), dry_run=dry_run)
    answer(undone, as_json=as_json, show=lambda: _print_undone(undone))


@app.command("purge")
def purge(
    number: Annotated[
        int, Argument(metavar="IMPORT", help="The number of an undone import; see imports.")
    ],
    yes: Annotated[
        bool, Option("--yes", metavar="", help="Remove them; without it they are only counted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the addresses of an undone import from the database.

    Those who got a letter, subscribed, signed up, or did anything besides stay, and so does every
    suppression. Without --yes nothing is removed.
    """
    purging = container().import_purging
    if not yes:
        found = purging.count(number)
    else:
        with common.progress("removing", as_json=as_json) as show_progress:
            found = purging.run(
                number, actor=actor(), on_progress=lambda done: show_progress("removing", done, 0)
            )
    answer(found, as_json=as_json, show=lambda: _print_purged(found))


@app.command("export")
def export(
    path: Annotated[
        str,
        Argument(
            metavar="FILE", help="A name that ends in .csv or .ndjson; - writes CSV to stdout."
        ),
    ],
    newsletter: Slug = None,
    segment: Annotated[
        str | None, Option(metavar="NAME", help="Only members of this saved segment.")
    ] = None,
    status: Annotated[
        str | None,
        Option(metavar="WORD", help="Only mailable, active, paused, ended or suppressed."),
    ] = None,
    topic: Annotated[
        list[str] | None, Option(metavar="SLUG", help="Only subscribers who chose any of these.")
    ] = None,
    tag: Annotated[
        list[str] | None, Option(metavar="TAG", help="Only subscribers with any of these tags.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write subscriptions to a file; importing that file again changes nothing.

    Cells that a spreadsheet would run as a formula get an apostrophe in front.
    """
    which = list_of(newsletter)
    chosen = _chosen(which, segment, {"status": status, "topics": topic, "tags": tag})
    container().give_way()
    lists, now = container().lists, container().clock.now()
    if path == "-":
        lists.export(which.slug, chosen, sys.stdout.buffer.write, now=now)
    else:
        written = lists.write(Path(path), which.slug, chosen, now=now)
        text = f"{written:,} subscriptions: {escape(path)}"
        data = {"file": path, "subscriptions": written}
        answer(data, as_json=as_json, show=lambda: console.print(text))


def _chosen(which: "Newsletter", segment: str | None, said: dict[str, object]) -> "Filter":
    if segment and any(said.values()):
        raise ConfigurationError("--segment cannot be combined with other filters")
    if segment:
        return container().segments.get(which.slug, segment).filter
    return container().segments.read(which.slug, said, which.topic_slugs)


def _print_imports(found: tuple[PastImport, ...]) -> None:
    if not found:
        console.print("There are no imports yet.")
        return
    for one in found:
        rows = common.listed(one.counts) or "no rows"
        undone = f", undone {one.undone_at:%Y-%m-%d}" if one.undone_at else ""
        console.print(
            f"[bold]{one.id}[/] {one.at:%Y-%m-%d %H:%M} {escape(f'{one.file} ({one.format})')}"
            f" by {escape(one.actor)}: {rows}{undone}"
        )
        console.print(f"  [dim]consent: {escape(one.consent_source)}[/]")


_STAY = {
    "written_to": "got a letter, or may have long ago, whose links must work",
    "suppressed": "must not be written to",
    "subscribed": "have another subscription",
    "signed_up": "signed up",
    "merged": "were merged with somebody",
    "acted": "did something by themselves, or have a note",
}


def _print_purged(purged: "Purged") -> None:
    would = "would be " if purged.dry_run else ""
    removed = common.counted(purged.removed, "address", "addresses")
    console.print(f"import {purged.import_id}: {removed} {would}removed")
    for why, count in purged.kept.items():
        console.print(f"  {count:,} stay: they {_STAY[why]}")
    if purged.dry_run and purged.removed:
        console.print(f"Remove them: newsletter subscribers purge {purged.import_id} --yes")


def _print_undone(undone: Undone) -> None:
    if undone.before:
        console.print(
            f"import {undone.import_id} has already been undone; there is nothing left to do"
        )
        return
    would = "would be " if undone.dry_run else ""
    console.print(
        f"import {undone.import_id}: {undone.removed:,} {would}removed,"
        f" {undone.restored:,} {would}changed back"
    )
    if undone.unsubscribes or undone.suppressions:
        console.print(
            "kept, so that nobody who left gets letters:"
            f" {undone.unsubscribes:,} unsubscribes, {undone.suppressions:,} suppressions"
        )
    for one in undone.kept:
        console.print(f"  kept: {escape(one.email)} ({one.why})")
