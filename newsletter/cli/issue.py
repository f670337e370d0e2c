"""`newsletter issue`: from the day's briefs to a sent digest."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn
from typer import Option

from newsletter.cli import common, issue_edits, issue_readers, previewing, skipping
from newsletter.cli.changes import approval_data, print_changes
from newsletter.cli.common import AsJson, Date, Slug, actor, answer, console, container, issue_of
from newsletter.cli.report import issue_data, print_issue, print_remarks, print_request
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue

app = typer.Typer(no_args_is_help=True, help="Assemble, preview, approve and send an issue.")
app.add_typer(issue_edits.app)
app.add_typer(skipping.app)
app.add_typer(previewing.app)
app.add_typer(issue_readers.app)

Because = Annotated[str, Option("--because", help="The reason, recorded with the issue.")]


def _answer(stored: StoredIssue, totals: IssueTotals | None = None, *, as_json: bool) -> None:
    answer(issue_data(stored, totals), as_json=as_json, show=lambda: print_issue(stored, totals))


def _answer_with_remarks(which: Newsletter, stored: StoredIssue, *, as_json: bool) -> None:
    """Answer with an issue, and with what is not in it, and why."""
    remarks = container().issue_remarks.sentences(which, stored)

    def show_text() -> None:
        print_issue(stored)
        print_remarks(remarks)

    answer(issue_data(stored) | {"remarks": remarks}, as_json=as_json, show=show_text)


@app.command()
def assemble(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Choose and order the accepted briefs, and set the issue."""
    which, on = issue_of(newsletter, date)
    stored = container().publishing.assemble(which, on)
    _answer_with_remarks(which, stored, as_json=as_json)


@app.command()
def show(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show what is in an issue, and what is not."""
    which, on = issue_of(newsletter, date)
    stored = container().publishing.issue(which, on)
    request = container().approval_requests.of(stored)
    remarks = container().issue_remarks.sentences(which, stored)

    def show_text() -> None:
        print_issue(stored)
        print_remarks(remarks)
        print_request(request)

    data = issue_data(stored) | {"remarks": remarks, "approval_request": request}
    answer(data, as_json=as_json, show=show_text)


@app.command()
def changes(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show what would be sent otherwise now than what was approved last."""
    found = container().comparing.since_approval(*issue_of(newsletter, date))
    data = {"approved": found and approval_data(found), "changes": found and found.changes}
    answer(data, as_json=as_json, show=lambda: print_changes(found))


@app.command()
def approve(
    content_hash: Annotated[
        str | None,
        Option("--hash", metavar="HASH", help="Only if it is still this draft; see issue show."),
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Freeze the issue: exactly this content will be sent."""
    which, on = issue_of(newsletter, date)
    stored = container().publishing.approve(which, on, actor=actor(), expecting=content_hash)
    _answer(stored, as_json=as_json)


Remark = Annotated[str, Option("--note", metavar="TEXT", help="What the other one should know.")]


@app.command()
def ask(
    note: Remark = "", date: Date = None, newsletter: Slug = None, as_json: AsJson = False
) -> None:
    """Ask whoever may approve to look at the draft."""
    which, on = issue_of(newsletter, date)
    request = container().approval_requests.ask(which, on, actor=actor(), note=note)
    answer(request, as_json=as_json, show=lambda: print_request(request))


@app.command("send-back")
def send_back(
    note: Remark, date: Date = None, newsletter: Slug = None, as_json: AsJson = False
) -> None:
    """Send the draft back to whoever edits it, with what is to be changed."""
    which, on = issue_of(newsletter, date)
    request = container().approval_requests.send_back(which, on, actor=actor(), note=note)
    answer(request, as_json=as_json, show=lambda: print_request(request))


@app.command()
def withdraw(
    because: Because = "taken back by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Take the approval back, before the issue leaves: it is a draft again."""
    which, on = issue_of(newsletter, date)
    stored = container().publishing.withdraw(which, on, actor=actor(), because=because)
    _answer(stored, as_json=as_json)


@app.command()
def send(
    wait: Annotated[
        bool,
        Option(
            "--wait", metavar="", help="Send in this process, and show the progress to the end."
        ),
    ] = False,
    segment: Annotated[
        str | None, Option(metavar="NAME", help="Send only to readers who are in this segment now.")
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Plan who gets which edition, and queue the batches for the workers.

    An issue is sent only once. With --segment, nobody else ever gets it.
    """
    which, on = issue_of(newsletter, date)
    if segment:
        _print_segment(which.readers.newsletter, segment, as_json=as_json)
    stored, planned = container().planning.hand_over(which, on, segment=segment, actor=actor())
    before = stored.state is IssueStatus.SENT
    already = stored.state is IssueStatus.SENDING and not planned
    if wait and stored.state is IssueStatus.SENDING:
        stored = _work_on(stored, as_json=as_json)
    totals = _totals(stored)
    remarks = _remarks(stored, totals, already=already, before=before, waited=wait)

    def show_text() -> None:
        print_issue(stored, totals)
        for remark in remarks:
            console.print(f"  {remark}")

    answer(issue_data(stored, totals) | {"sent_before": before}, as_json=as_json, show=show_text)
    if totals and (failure := _failure(stored, totals)):
        common.print_error(f"the issue of {stored.issue.date} {failure}")
        raise typer.Exit(1)


def _print_segment(newsletter: str, name: str, *, as_json: bool) -> None:
    """Print whom the issue is for, before it is; raise NoSuchSegment."""
    from subscribers.segments.filter_sentence import describe

    segment = container().segments.get(newsletter, name)
    if not as_json:
        found = container().segments.count(newsletter, segment.filter, now=container().clock.now())
        console.print(f"To the segment [bold]{name}[/]: {escape(describe(segment.filter))}")
        text = f"  {common.counted(found.matching, 'subscription')}; {found.mailable:,} of them"
        console.print(f"{text} can get letters")


def _remarks(
    stored: StoredIssue, totals: IssueTotals | None, *, already: bool, before: bool, waited: bool
) -> Iterator[str]:
    """Yield what a person should know of a send besides its totals."""
    if stored.state is IssueStatus.EMPTY:
        yield "The issue is empty, so nothing is sent."
    if already and not (totals and totals.awaited):
        yield f"It is already being sent by {escape(stored.planned_by or 'someone')}."
    if before:
        yield "It was sent before, so nothing is sent again."
    if totals and totals.sums.to_go and not waited:
        yield "The batches are waiting for a worker: run `newsletter worker`, or send --wait."


def _failure(stored: StoredIssue, totals: IssueTotals) -> str | None:
    """Return what went wrong with a send; None if nothing did."""
    sums = totals.sums
    if stored.state is IssueStatus.PAUSED:
        return f"is {stored.pause}"
    wrong = {"refused": sums.refused, "unknown": sums.unknown, "sent twice": sums.doubled}
    if any(wrong.values()):
        return f"went wrong: {common.listed(wrong)}; `newsletter issue status` says more"
    return None if sums.adds_up else "has sums that do not add up"


def _totals(stored: StoredIssue) -> IssueTotals | None:
    return container().deliveries.totals(stored.id) if stored.planned_at else None


def _work_on(stored: StoredIssue, *, as_json: bool) -> StoredIssue:
    """Send an issue's batches in this process, and show how many recipients are done."""
    columns = ("  sending", BarColumn(), MofNCompleteColumn(), "recipients", TimeElapsedColumn())
    with common.progress("", *columns, as_json=as_json) as on_progress:
        return container().sending.work_on(stored, partial(on_progress, ""))


@app.command()
def status(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show how far an issue's sending has got, and whether its sums add up."""
    # With a key, batches that a dead worker left are marked first; to look on, no key is needed.
    if container().settings.environment.sendgrid_api_key:
        container().recovery.recover()
    stored = container().publishing.issue(*issue_of(newsletter, date))
    _answer(stored, _totals(stored), as_json=as_json)


@app.command()
def pause(
    because: Because = "paused by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Stop sending further batches; those being sent are still recorded."""
    stored = container().publishing.issue(*issue_of(newsletter, date))
    stored = container().sending_limits.pause(stored, actor=actor(), because=because)
    _answer(stored, container().deliveries.totals(stored.id), as_json=as_json)


@app.command()
def resume(
    because: Because = "resumed by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Continue sending a paused issue."""
    stored = container().publishing.issue(*issue_of(newsletter, date))
    stored = container().sending_limits.resume(stored, actor=actor(), because=because)
    container().recovery.recover()
    _answer(stored, container().deliveries.totals(stored.id), as_json=as_json)


@app.command()
def cancel(
    because: Because = "cancelled by a person",
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Send nothing more of an issue; what was sent cannot be recalled."""
    stored = container().publishing.issue(*issue_of(newsletter, date))
    stored = container().sending_limits.cancel(stored, actor=actor(), because=because)
    _answer(stored, container().deliveries.totals(stored.id), as_json=as_json)
