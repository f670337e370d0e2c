"""`newsletter suppressions`: who must not be written to, whatever they subscribed to."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from newsletter.cli.common import AsJson, actor, answer, console, house
from newsletter.services.suppression_sync import SyncReport
from subscribers.model import Suppression, SuppressionReason

app = typer.Typer(no_args_is_help=True, help="Keep the suppression list.")

Email = Annotated[str, typer.Argument(help="The address.")]
Reason = Annotated[SuppressionReason | None, typer.Option(help="Only this reason.")]


@app.command("list")
def list_(
    reason: Reason = None,
    address: Annotated[
        str, typer.Option(metavar="PART", help="Only addresses that hold this.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show who must not be written to, and why; the latest first."""
    subscriptions = house().subscriptions
    found = subscriptions.suppressions(reason=reason, part=address, limit=limit)
    counts = subscriptions.suppression_counts()

    def say() -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        for one in found:
            since = f"{one.since:%Y-%m-%d %H:%M %Z}"
            table.add_row(escape(one.email), one.reason, since, escape(one.source), _noted(one))
        console.print(table)
        told = ", ".join(f"{count:,} {each}" for each, count in counts.items() if count)
        console.print(f"[dim]{len(found):,} shown of the whole list: {told or 'nobody'}[/]")

    answer({"counts": counts, "suppressions": found}, as_json=as_json, say=say)


@app.command()
def add(
    email: Email,
    reason: Annotated[SuppressionReason, typer.Option(help="Why.")] = SuppressionReason.MANUAL,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What is to be remembered.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write no more letters to an address, whatever it subscribes to."""
    stands = house().suppressing.add(email, reason, note=note, by=actor())
    answer(stands, as_json=as_json, say=lambda: _say(stands, "is suppressed"))


@app.command()
def lift(
    email: Email,
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as evidence.")],
    even_complaint: Annotated[
        bool,
        typer.Option(
            "--even-complaint", metavar="", help="Even what the address's owner said themselves."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take an address off the list, with the reason on record.

    A subscription that ended stays ended. SendGrid keeps lists of its own and drops letters to
    whom they name: take the address off there, too.
    """
    lifted = house().suppressing.lift(
        email, because=because, by=actor(), even_complaint=even_complaint
    )
    answer(lifted, as_json=as_json, say=lambda: _say(lifted, "is no longer suppressed"))


@app.command()
def sync(as_json: AsJson = False) -> None:
    """Take over what SendGrid's own lists hold; nobody is ever revived by it."""
    report = house().suppressing.sync(house().sendgrid_lists, by=actor())
    answer(report, as_json=as_json, say=lambda: _say_report(report))


def _noted(one: Suppression) -> str:
    return f"[dim]{escape(one.note)}[/]"


def _say(one: Suppression, what: str) -> None:
    since = f"{one.since:%Y-%m-%d %H:%M %Z}"
    console.print(
        f"{escape(one.email)} {what}: {one.reason}, by {escape(one.source)}, since {since}"
    )


def _say_report(report: SyncReport) -> None:
    for reason, found in report.lists.items():
        console.print(f"{reason:<12} {found.listed:>9,} listed, {found.new:,} new to us")
    span = f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M %Z}"
    console.print(f"[dim]what SendGrid listed from {span}[/]")
