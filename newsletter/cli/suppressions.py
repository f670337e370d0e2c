"""`newsletter suppressions`: addresses that get no letters, whatever they subscribe to."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli import common
from newsletter.cli.common import (
    AsJson,
    DryRun,
    Slug,
    actor,
    answer,
    console,
    container,
    minute,
)
from newsletter.cli.importing import Asked, Encoding, Explained, ListPath, Results, run
from subscribers.model import Suppression, SuppressionReason

if TYPE_CHECKING:
    from newsletter.services.suppression_sync import SyncReport

app = typer.Typer(no_args_is_help=True, help="Manage the suppression list.")

Email = Annotated[str, Argument(help="The address.")]
Reason = Annotated[SuppressionReason | None, Option(help="Only this reason.")]


@app.command("list")
def list_(
    reason: Reason = None,
    address: Annotated[str, Option(metavar="PART", help="Only addresses that contain this.")] = "",
    limit: common.Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List suppressed addresses and the reasons, newest first."""
    subscriptions = container().subscriptions
    found = subscriptions.suppressions(reason=reason, part=address, limit=limit)
    counts = subscriptions.suppression_counts()

    def show_text() -> None:
        console.print(common.grid(map(_row, found)))
        text = common.listed(counts) or "nobody"
        console.print(f"[dim]{len(found):,} shown. The whole list: {text}[/]")

    answer({"counts": counts, "suppressions": found}, as_json=as_json, show=show_text)


@app.command()
def add(
    email: Email,
    reason: Annotated[SuppressionReason, Option(help="Why.")] = SuppressionReason.MANUAL,
    note: Annotated[str, Option(metavar="TEXT", help="A note for later.")] = "",
    as_json: AsJson = False,
) -> None:
    """Suppress an address: it gets no letters, whatever it subscribes to."""
    suppression = container().suppression_sync.add(email, reason, note=note, by=actor())
    answer(suppression, as_json=as_json, show=lambda: _print(suppression, "is suppressed"))


@app.command()
def lift(
    email: Email,
    because: Annotated[str, Option(metavar="TEXT", help="Why; stored as evidence.")],
    even_complaint: Annotated[
        bool,
        Option("--even-complaint", metavar="", help="Even if the owner of the address complained."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take an address off the list; the reason is recorded.

    A subscription that ended stays ended. SendGrid has suppression lists of its own and drops
    letters to their addresses: take the address off there, too.
    """
    lifted = container().suppression_sync.lift(
        email, because=because, by=actor(), even_complaint=even_complaint
    )
    answer(lifted, as_json=as_json, show=lambda: _print(lifted, "is no longer suppressed"))


@app.command("import")
def import_(
    path: ListPath,
    listed_as: Annotated[
        str,
        Option(
            "--as",
            metavar="WORD",
            help="What is true of everybody in the file, unless a row says worse: suppressed,"
            " bounced, complained, invalid or left.",
        ),
    ] = "suppressed",
    newsletter: Slug = None,
    explained: Explained = None,
    encoding: Encoding = None,
    results: Results = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Suppress every address in a file, such as another service's bounces or spam reports.

    A column of addresses is enough; other columns are not asked about. Nobody is added, and the
    subscriptions of those who complained end, too.
    """
    if listed_as == "subscribed":
        raise typer.BadParameter("this adds nobody: use subscribers import", param_hint="'--as'")
    asked = Asked(
        command="suppressions import",
        path=path,
        newsletter=newsletter,
        consent="",
        columns=tuple(explained or ()),
        listed_as=listed_as,
        encoding=encoding,
        results=results,
        dry_run=dry_run,
    )
    run(asked, as_json=as_json)


@app.command()
def sync(as_json: AsJson = False) -> None:
    """Import SendGrid's own suppression lists; this never lifts a suppression."""
    report = container().suppression_sync.sync(container().suppression_lists, by=actor())
    answer(report, as_json=as_json, show=lambda: _print_report(report))


def _row(one: Suppression) -> tuple[str, ...]:
    note = f"[dim]{escape(one.note)}[/]"
    return escape(one.email), one.reason, minute(one.since), escape(one.source), note


def _print(one: Suppression, what: str) -> None:
    by = f"by {escape(one.source)}, since {minute(one.since)}"
    console.print(f"{escape(one.email)} {what}: {one.reason}, {by}")


def _print_report(report: "SyncReport") -> None:
    for reason, found in report.lists.items():
        console.print(f"{reason:<12} {found.listed:>9,} listed, {found.new:,} new")
    span = f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M %Z}"
    console.print(f"[dim]what SendGrid listed from {span}[/]")
