"""`newsletter issue`: from the day's briefs to a sent digest."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from newsletter.cli.common import (
    AsJson,
    Date,
    Slug,
    actor,
    answer,
    console,
    container,
    date_of,
    is_quiet,
    newsletter_of,
    slugs_of,
)
from newsletter.cli.report import issue_data, print_issue, print_totals
from newsletter.core.issue_totals import IssueTotals, Sums
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue

if TYPE_CHECKING:
    from newsletter.services.preview import Preview

app = typer.Typer(no_args_is_help=True, help="Assemble, preview, approve and send an issue.")


def _which(slug: str | None, date: str | None) -> tuple[Newsletter, dt.date]:
    newsletter = newsletter_of(slug)
    return newsletter, date_of(date, newsletter)


@app.command()
def assemble(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Choose and order the accepted briefs, and set the issue."""
    stored = container().publishing.assemble(*_which(newsletter, date))
    answer(issue_data(stored), as_json=as_json, show=lambda: print_issue(stored))


@app.command()
def show(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show what is in an issue."""
    stored = container().publishing.issue(*_which(newsletter, date))
    answer(issue_data(stored), as_json=as_json, show=lambda: print_issue(stored))


@app.command()
def approve(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Freeze the issue: exactly this content will be sent."""
    stored = container().publishing.approve(*_which(newsletter, date), actor=actor())
    answer(issue_data(stored), as_json=as_json, show=lambda: print_issue(stored))


@app.command()
def preview(
    topics: Annotated[
        str | None, typer.Option(metavar="A,B", help="As readers of these topics get it.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--for", metavar="EMAIL", help="As this subscriber gets it.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where to write the three files; in NEWSLETTER_VAR by default."
        ),
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Write letter.html, letter.txt and letter.eml exactly as they would be sent."""
    if topics and email:
        raise typer.BadParameter("give either --topics or --for, not both")
    which, on = _which(newsletter, date)
    previews, chosen = container().previews, slugs_of(topics)
    found = (
        previews.for_email(which, on, email) if email else previews.for_topics(which, on, chosen)
    )
    written = _write(found, out or container().settings.environment.var / "preview")
    data = {
        "subject": found.letter.subject,
        "preheader": found.edition.preheader,
        "stories": len(found.edition.brief_ids),
        "html_bytes": len(found.letter.html.encode()),
        "files": [str(path) for path in written],
    }
    answer(data, as_json=as_json, show=lambda: _print_preview(found, written))


def _write(found: "Preview", out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "letter.html": found.letter.html.encode(),
        "letter.txt": found.letter.text.encode(),
        "letter.eml": found.eml,
    }
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]


def _print_preview(found: "Preview", written: list[Path]) -> None:
    edition, size = found.edition, len(found.letter.html.encode()) / 1000
    console.print(f"[bold]{escape(found.letter.subject)}[/]")
    console.print(f"[dim]{escape(edition.preheader)}[/]")
    console.print(f"{edition.story_count}, {edition.minutes} min read, {size:.1f} kB of HTML")
    for path in written:
        console.print(f"  {escape(str(path))}")


@app.command()
def send(
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", metavar="", help="Send in this process, and show the progress to the end."
        ),
    ] = False,
    segment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Send only to readers who are in this segment now."),
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Plan who gets which edition, and queue the batches for the workers.

    An issue is sent only once. With --segment, nobody else ever gets it.
    """
    which, on = _which(newsletter, date)
    if segment:
        container().segments.get(which.readers.newsletter, segment)
    stored = container().planning.hand_over(which, on, segment=segment)
    before = stored.state is IssueStatus.SENT
    if wait and stored.state is IssueStatus.SENDING:
        stored = wait_for(stored, quiet=is_quiet(as_json=as_json))
    totals = _totals(stored)

    def show_text() -> None:
        _print(stored, totals)
        if stored.state is IssueStatus.EMPTY:
            console.print("  The issue is empty, so nothing is sent.")
        if before:
            console.print("  It was sent before, so nothing is sent again.")
        if totals and totals.sums.to_go and not wait:
            console.print(
                "  The batches are waiting for a worker: run `newsletter worker`, or send --wait."
            )

    answer(issue_data(stored, totals) | {"sent_before": before}, as_json=as_json, show=show_text)
    if totals and (stored.state is IssueStatus.PAUSED or not _went_well(totals.sums)):
        raise typer.Exit(1)


def _went_well(sums: Sums) -> bool:
    return sums.adds_up and not (sums.refused or sums.unknown)


def _totals(stored: StoredIssue) -> IssueTotals | None:
    return container().explaining.totals(stored) if stored.planned_at else None


def _print(stored: StoredIssue, totals: IssueTotals | None) -> None:
    print_issue(stored)
    if totals:
        print_totals(totals)


def wait_for(stored: StoredIssue, *, quiet: bool) -> StoredIssue:
    """Send an issue's batches in this process, and show how many recipients are done."""
    columns = (
        TextColumn("  sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("recipients"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("", total=None)

        def on_progress(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        return container().sending.work_on(stored, on_progress)


@app.command()
def status(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show how far an issue's sending has got, and whether its sums add up."""
    # With a key, batches that a dead worker left are marked first; to look on, no key is needed.
    if container().settings.environment.sendgrid_api_key:
        container().recovery.recover()
    stored = container().publishing.issue(*_which(newsletter, date))
    totals = _totals(stored)
    answer(issue_data(stored, totals), as_json=as_json, show=lambda: _print(stored, totals))


Because = Annotated[str, typer.Option("--because", help="The reason, recorded with the issue.")]


@app.command()
def pause(
    because: Because = "paused by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Stop sending further batches; those being sent are still recorded."""
    stored = container().publishing.issue(*_which(newsletter, date))
    _answer_now(
        container().sending_limits.pause(stored, actor=actor(), because=because), as_json=as_json
    )


@app.command()
def resume(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Continue sending a paused issue."""
    stored = container().publishing.issue(*_which(newsletter, date))
    stored = container().sending_limits.resume(stored, actor=actor())
    container().recovery.recover()
    _answer_now(stored, as_json=as_json)


@app.command()
def cancel(
    because: Because = "cancelled by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Send nothing more of an issue; what was sent cannot be called back."""
    stored = container().publishing.issue(*_which(newsletter, date))
    _answer_now(
        container().sending_limits.cancel(stored, actor=actor(), because=because), as_json=as_json
    )


def _answer_now(stored: StoredIssue, *, as_json: bool) -> None:
    totals = container().explaining.totals(stored)

    def show_text() -> None:
        print_issue(stored)
        print_totals(totals)

    answer(issue_data(stored, totals), as_json=as_json, show=show_text)
