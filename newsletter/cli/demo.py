"""`newsletter demo`: one whole day on this machine, and what it came to."""

import os
import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from newsletter.adapters.clock import SystemClock
from newsletter.cli.briefs import COLOURS
from newsletter.cli.common import AsJson, answer, console, unwatched
from newsletter.cli.report import counted, issue_data, say_account
from newsletter.core.verification import Ruling
from newsletter.demo.readers import LEFT, address
from newsletter.services.publishing import day_of

if TYPE_CHECKING:
    from newsletter.demo.day import Day
    from newsletter.demo.environment import DemoEnvironment

_SLUG = "technology"  #: the newsletter whose sample briefs are shipped


def demo(
    look: Annotated[
        bool,
        typer.Option(
            "--look", metavar="", help="Stay, so that inbox and web pages can be looked at."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a whole day on sample data; nothing leaves this machine."""
    # Imported here: a help page needs neither the house nor the stand-in.
    from newsletter.demo.day import run_day  # noqa: PLC0415
    from newsletter.demo.environment import opened  # noqa: PLC0415
    from newsletter.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    today = day_of(settings.newsletter(_SLUG), SystemClock().now())
    with opened(settings, today) as place:
        newsletter = place.house.settings.newsletter(_SLUG)
        with _progress(quiet=unwatched(as_json=as_json)) as on_progress:
            day = run_day(place.house, newsletter, place.sandbox, place.folder, on_progress)
        answer(_data(day, place), as_json=as_json, say=lambda: _say(day, place, stays=look))
        if look:
            _stay(place)
    if not _sound(day):
        raise typer.Exit(1)


@contextmanager
def _progress(*, quiet: bool) -> Generator[Callable[[str, int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("getting ready", total=None)
        yield lambda step, done, total: progress.update(
            bar, description=step, completed=done, total=total
        )


def _sound(day: "Day") -> bool:
    account = day.account
    return bool(account and account.sums.add_up and not account.sums.to_go and not day.repeated)


def _stay(place: "DemoEnvironment") -> None:
    """Stay until a person ends it; who signs up meanwhile gets their letters."""
    console.print("\nCtrl-C ends it.")
    ended = threading.Event()
    try:
        while not ended.wait(1):
            place.house.correspondence.deliver()
    except KeyboardInterrupt:
        console.print()


def _data(day: "Day", place: "DemoEnvironment") -> dict[str, Any]:
    return {
        "date": day.on,
        "briefs": [
            {
                "title": r.filed.brief.title,
                "arrival": r.arrival,
                "ruling": r.filed.ruling,
                "reasons": r.filed.reasons,
            }
            for r in day.receipts
        ],
        "subscribers": day.imported,
        "issue": day.filed and issue_data(day.filed, day.account),
        "requests_this_run": day.requests,
        "sent_twice": day.repeated,
        "mjml_compiles": day.compiles,
        "premailer_passes": day.inlinings,
        "seconds": {name: round(seconds, 2) for name, seconds in day.seconds.items()},
        "inbox": f"{place.sandbox.url}/inbox",
        "web_view": _web_view(day, place),
    }


def _web_view(day: "Day", place: "DemoEnvironment") -> str:
    return f"{place.house.settings.public_url}/{_SLUG}/{day.on}"


def _say(day: "Day", place: "DemoEnvironment", *, stays: bool) -> None:
    console.print(f"\n[bold]Technology Daily, {day.on:%A} {day.on.day} {day.on:%B %Y}[/]\n")
    _say_briefs(day)
    if day.imported:
        told = ", ".join(f"{n:,} {result}" for result, n in day.imported.counts.items() if n)
        console.print(f"\n[bold]Subscribers[/]  {day.imported.rows:,} rows: {told}")
    if day.account:
        console.print("\n[bold]Sending[/]")
        say_account(day.account)
    twice = "[green]nobody was sent it twice[/]" if not day.repeated else "[red]SENT TWICE[/]"
    console.print(
        f"  this run: {counted(day.requests, 'request')}, "
        f"{counted(day.compiles, 'MJML compile')}, "
        f"{counted(day.inlinings, 'premailer pass', 'premailer passes')}; {twice}"
    )
    if not day.requests:
        console.print("  [bold]The issue had been sent before: nobody was sent anything again.[/]")
    told = " · ".join(f"{name} {seconds:.1f}" for name, seconds in day.seconds.items())
    console.print(f"\n[bold]Seconds[/]  {told}")
    _say_where(day, place, stays=stays)


def _say_briefs(day: "Day") -> None:
    counts = day.rulings
    told = ", ".join(f"{counts.get(ruling, 0)} {ruling}" for ruling in Ruling)
    console.print(f"[bold]Briefs[/]  {len(day.receipts)} received: {told}")
    for receipt in day.receipts:
        filed = receipt.filed
        if filed.ruling is not Ruling.ACCEPTED:
            console.print(
                f"  [{COLOURS[filed.ruling]}]{filed.ruling}[/] {escape(filed.brief.title)}"
            )
            for reason in filed.reasons:
                console.print(f"      [dim]{escape(reason)}[/]")


def _say_where(day: "Day", place: "DemoEnvironment", *, stays: bool) -> None:
    console.print("\n[bold]Where to look[/]")
    if stays:
        console.print(f"  the letters    {place.sandbox.url}/inbox")
        console.print(f"  the web view   {_web_view(day, place)}")
        console.print(f"  sign up        {place.house.settings.public_url}/{_SLUG}/subscribe")
        return
    run = f"NEWSLETTER_VAR={shlex.quote(str(place.folder))} {_command()}"
    console.print(f"  letters and web view   {_command()} demo --look")
    console.print(f"  what one reader got    {run} why {address(1)}")
    console.print(f"  why one got nothing    {run} why {address(LEFT[1])}")
    console.print(f"  the gate's findings    {run} briefs list")
    console.print(f"  a letter as a file     {run} issue preview --topics chips,security")


def _command() -> str:
    """Return how this program is called from here: by its name where that would find it."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    if found and Path(found).samefile(called):
        return called.name
    return os.path.relpath(called) if called.name == "newsletter" else "python -m newsletter"
