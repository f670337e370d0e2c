"""`newsletter issue`: from the day's briefs to a sent digest."""

import datetime as dt
from pathlib import Path
from typing import Annotated

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
    date_of,
    house,
    newsletter_of,
    slugs_of,
    unwatched,
)
from newsletter.cli.report import issue_data, say_account, say_issue
from newsletter.core.issue_totals import IssueTotals, Sums
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.services.preview import Preview

app = typer.Typer(no_args_is_help=True, help="Assemble, preview, approve and send an issue.")


def _which(slug: str | None, date: str | None) -> tuple[Newsletter, dt.date]:
    newsletter = newsletter_of(slug)
    return newsletter, date_of(date, newsletter)


@app.command()
def assemble(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Choose and order the accepted briefs, and set them in type once."""
    filed = house().publishing.assemble(*_which(newsletter, date))
    answer(issue_data(filed), as_json=as_json, say=lambda: say_issue(filed))


@app.command()
def show(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show what an issue holds."""
    filed = house().publishing.issue(*_which(newsletter, date))
    answer(issue_data(filed), as_json=as_json, say=lambda: say_issue(filed))


@app.command()
def approve(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Freeze the issue: just this content will be sent, and nothing else."""
    filed = house().publishing.approve(*_which(newsletter, date), actor=actor())
    answer(issue_data(filed), as_json=as_json, say=lambda: say_issue(filed))


@app.command()
def preview(
    topics: Annotated[str | None, typer.Option(metavar="A,B", help="As readers of these.")] = None,
    email: Annotated[
        str | None, typer.Option("--for", metavar="EMAIL", help="As this subscriber.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the three files go; in NEWSLETTER_VAR by default."),
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Write letter.html, letter.txt and letter.eml just as they would be sent."""
    if topics and email:
        raise typer.BadParameter("a letter is either for --topics or --for a subscriber")
    which, on = _which(newsletter, date)
    desk, chosen = house().preview, slugs_of(topics)
    found = desk.for_email(which, on, email) if email else desk.for_topics(which, on, chosen)
    written = _write(found, out or house().settings.environment.var / "preview")
    data = {
        "subject": found.letter.subject,
        "preheader": found.edition.preheader,
        "stories": len(found.edition.brief_ids),
        "html_bytes": len(found.letter.html.encode()),
        "files": [str(path) for path in written],
    }
    answer(data, as_json=as_json, say=lambda: _say_preview(found, written))


def _write(found: Preview, out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "letter.html": found.letter.html.encode(),
        "letter.txt": found.letter.text.encode(),
        "letter.eml": found.eml,
    }
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]


def _say_preview(found: Preview, written: list[Path]) -> None:
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
            "--wait", metavar="", help="Send from here, and show it until all is answered."
        ),
    ] = False,
    segment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only to readers who are in this segment now."),
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Plan who gets which edition, and hand the batches to the workers.

    An issue is sent once. With --segment nobody else gets it, also not later.
    """
    which, on = _which(newsletter, date)
    if segment:
        house().segments.get(which.readers.newsletter, segment)
    filed = house().dispatch.send(which, on, segment=segment)
    before = filed.state is IssueStatus.SENT
    if wait and filed.state is IssueStatus.SENDING:
        filed = wait_for(filed, quiet=unwatched(as_json=as_json))
    account = _account(filed)

    def say() -> None:
        _say(filed, account)
        if filed.state is IssueStatus.EMPTY:
            console.print("  The issue is empty: nothing is sent.")
        if before:
            console.print("  It had been sent before: nobody is sent anything again.")
        if account and account.sums.to_go and not wait:
            console.print("  The batches wait for a worker: `newsletter worker`, or send --wait.")

    answer(issue_data(filed, account) | {"sent_before": before}, as_json=as_json, say=say)
    if account and (filed.state is IssueStatus.PAUSED or not _went_well(account.sums)):
        raise typer.Exit(1)


def _went_well(sums: Sums) -> bool:
    return sums.add_up and not (sums.refused or sums.unknown)


def _account(filed: StoredIssue) -> IssueTotals | None:
    return house().inquiry.account(filed) if filed.planned_at else None


def _say(filed: StoredIssue, account: IssueTotals | None) -> None:
    say_issue(filed)
    if account:
        say_account(account)


def wait_for(filed: StoredIssue, *, quiet: bool) -> StoredIssue:
    """Work on an issue's batches in this process, showing how many recipients are answered for."""
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

        return house().dispatch.work_on(filed, on_progress)


@app.command()
def status(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Say how an issue's sending stands, and whether every sum adds up."""
    # Whoever may send also names what a dead worker left; to look on, nobody needs the key.
    if house().settings.environment.sendgrid_api_key:
        house().dispatch.recover()
    filed = house().publishing.issue(*_which(newsletter, date))
    account = _account(filed)
    answer(issue_data(filed, account), as_json=as_json, say=lambda: _say(filed, account))


Because = Annotated[str, typer.Option("--because", help="The reason, kept with the issue.")]


@app.command()
def pause(
    because: Because = "paused by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Let no further batch leave; those in hand are still recorded."""
    filed = house().publishing.issue(*_which(newsletter, date))
    _say_now(house().braking.pause(filed, actor=actor(), because=because), as_json=as_json)


@app.command()
def resume(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Let a paused issue's batches leave again."""
    filed = house().publishing.issue(*_which(newsletter, date))
    filed = house().braking.resume(filed, actor=actor())
    house().dispatch.recover()
    _say_now(filed, as_json=as_json)


@app.command()
def cancel(
    because: Because = "cancelled by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Leave out whatever has not left; what has left cannot be called back."""
    filed = house().publishing.issue(*_which(newsletter, date))
    _say_now(house().braking.cancel(filed, actor=actor(), because=because), as_json=as_json)


def _say_now(filed: StoredIssue, *, as_json: bool) -> None:
    account = house().inquiry.account(filed)

    def say() -> None:
        say_issue(filed)
        say_account(account)

    answer(issue_data(filed, account), as_json=as_json, say=say)
