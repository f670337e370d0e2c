"""`newsletter demo`: one whole day on this machine, and its result."""

import os
import shlex
import shutil
import sys
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn
from typer import Option

from newsletter.adapters.clock import SystemClock
from newsletter.cli.briefs import COLOURS
from newsletter.cli.common import AsJson, answer, console, counted, listed, progress
from newsletter.cli.ending import wait_for_end
from newsletter.cli.report import issue_data, print_totals
from newsletter.cli.signals import interrupted_once
from newsletter.core.publication import day_of
from newsletter.core.verification import Ruling

if TYPE_CHECKING:
    from newsletter.demo.day import Day
    from newsletter.demo.environment import DemoEnvironment

_PATIENCE = 10  #: seconds for the batches that are on their way at the end
_SLUG = "technology"  #: the newsletter whose sample briefs are shipped


def demo(
    look: Annotated[
        bool,
        Option("--look", metavar="", help="Keep running, to look at the inbox and the web pages."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a whole day on sample data; nothing leaves this machine."""
    # Imported here: a help page needs neither the services nor the sandbox.
    from newsletter.demo.day import run_day
    from newsletter.demo.environment import approved_automatically, opened
    from newsletter.demo.look import run_two_days, to_look_at
    from newsletter.settings import load_settings

    settings, now = load_settings(), SystemClock().now()
    today = day_of(settings.newsletter(_SLUG).timetable, now)
    settings = to_look_at(settings, now) if look else approved_automatically(settings)
    with interrupted_once(), opened(settings, today) as place:
        newsletter = place.container.settings.newsletter(_SLUG)
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
        with progress("getting ready", *columns, as_json=as_json) as on_progress:
            if look:
                day = run_two_days(place, newsletter, on_progress)
            else:
                day = run_day(place, newsletter, on_progress)
        answer(_data(day, place), as_json=as_json, show=lambda: _print(day, place, stays=look))
        if look:
            _stay(place)
    if not _is_sound(day):
        raise typer.Exit(1)


def _is_sound(day: "Day") -> bool:
    account = day.totals
    return bool(account and account.sums.adds_up and not account.sums.to_go and not day.repeated)


def _stay(place: "DemoEnvironment") -> None:
    """Run the clock and a worker until Ctrl-C: what is approved in the console leaves."""
    container, ended = place.container, threading.Event()
    work = partial(container.sending.queue.work, until_empty=False)
    working = threading.Thread(target=work, daemon=True)
    try:
        container.scheduler.start()
        working.start()
        console.print("\nPress Ctrl-C to stop.")
        wait_for_end(ended)
    except KeyboardInterrupt:
        console.print()
    finally:
        if working.is_alive():
            container.scheduler.shutdown()
            container.queue.stop()
            working.join(timeout=_PATIENCE)


def _data(day: "Day", place: "DemoEnvironment") -> dict[str, Any]:
    return {
        "date": day.on,
        "briefs": [
            {
                "title": r.stored.brief.title,
                "arrival": r.arrival,
                "ruling": r.stored.ruling,
                "reasons": r.stored.reasons,
            }
            for r in day.receipts
        ],
        "subscribers": day.imported,
        "issue": day.issue and issue_data(day.issue, day.totals),
        "requests_this_run": day.requests,
        "sent_twice": day.repeated,
        "mjml_compiles": day.compiles,
        "premailer_passes": day.inlinings,
        "seconds": {name: round(seconds, 2) for name, seconds in day.seconds.items()},
        "inbox": f"{place.sandbox.url}/inbox",
        "web_view": _web_view(day, place),
    }


def _web_view(day: "Day", place: "DemoEnvironment") -> str:
    return f"{place.container.settings.public_url}/{_SLUG}/{day.on}"


def _print(day: "Day", place: "DemoEnvironment", *, stays: bool) -> None:
    console.print(f"\n[bold]Technology Daily, {day.on:%A} {day.on.day} {day.on:%B %Y}[/]\n")
    _print_briefs(day)
    if day.imported:
        text = f"{day.imported.rows:,} rows: {listed(day.imported.counts)}"
        console.print(f"\n[bold]Subscribers[/]  {text}")
    if day.totals:
        console.print("\n[bold]Sending[/]")
        print_totals(day.totals)
    twice = "[green]nobody got it twice[/]" if not day.repeated else "[red]SENT TWICE[/]"
    console.print(
        f"  this run: {counted(day.requests, 'request')}, "
        f"{counted(day.compiles, 'MJML compile')}, "
        f"{counted(day.inlinings, 'premailer pass', 'premailer passes')}; {twice}"
    )
    if not day.requests:
        console.print("  [bold]The issue was sent before, so nothing was sent again.[/]")
    text = " · ".join(f"{name} {seconds:.1f}" for name, seconds in day.seconds.items())
    console.print(f"\n[bold]Seconds[/]  {text}")
    _print_where(day, place, stays=stays)


def _print_briefs(day: "Day") -> None:
    counts = Counter(receipt.stored.ruling for receipt in day.receipts)
    text = ", ".join(f"{counts[ruling]} {ruling}" for ruling in Ruling)
    console.print(f"[bold]Briefs[/]  {len(day.receipts)} received: {text}")
    for receipt in day.receipts:
        stored = receipt.stored
        if stored.ruling is not Ruling.ACCEPTED:
            ruling = f"[{COLOURS[stored.ruling]}]{stored.ruling}[/]"
            console.print(f"  {ruling} {escape(stored.brief.title)}")
            for reason in stored.reasons:
                console.print(f"      [dim]{escape(reason)}[/]")


def _print_where(day: "Day", place: "DemoEnvironment", *, stays: bool) -> None:
    from newsletter.demo.day import LEFT, address  # as above
    from newsletter.demo.look import sign_in_link

    console.print("\n[bold]Where to look[/]")
    if stays:
        console.print(f"  the console    {sign_in_link(place)}")
        console.print("                 (signs you in once; an issue waits for you to approve it)")
        console.print(f"  the letters    {place.sandbox.url}/inbox")
        console.print(f"  the web view   {_web_view(day, place)}")
        console.print(f"  sign up        {place.container.settings.public_url}/{_SLUG}/subscribe")
        return
    run = f"NEWSLETTER_VAR={shlex.quote(str(place.folder))} {_command()}"
    console.print(f"  letters and web view   {_command()} demo --look")
    console.print(f"  what one reader got    {run} why {address(1)}")
    console.print(f"  why one got nothing    {run} why {address(LEFT[1])}")
    console.print(f"  the checks of briefs   {run} briefs list")
    console.print(f"  a letter as a file     {run} issue preview --topics chips,security")


def _command() -> str:
    """Return how this program is called from here: by its name where that would find it."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    if found and Path(found).samefile(called):
        return called.name
    return os.path.relpath(called) if called.name == "newsletter" else "python -m newsletter"
