"""`newsletter bulk`: the same for many subscribers, from a file of addresses or a segment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, DryRun, actor, answer, console, container, list_of
from newsletter.cli.given_options import given
from newsletter.cli.importing import Encoding
from newsletter.cli.people import OnlyOf, Tags
from subscribers.errors import InvalidList, ListQuestions
from subscribers.model import SuppressionReason
from subscribers.records.model import BulkChoice, BulkRow, BulkState, BulkVerb, counted_states

if TYPE_CHECKING:
    from subscribers.bulk.stored_rows import StoredRows

app = typer.Typer(
    no_args_is_help=True,
    help="Do the same to many subscribers: a file of addresses, or a segment.",
)

_SHOWN = 10
_NAMED = 20  #: rows that nothing could be done with; the file of results has all
_DONE = {
    BulkVerb.SUPPRESS: "suppressed",
    BulkVerb.UNSUBSCRIBE: "unsubscribed",
    BulkVerb.ERASE: "erased",
    BulkVerb.TAG: "tagged",
    BulkVerb.UNTAG: "untagged",
}


@dataclass(frozen=True, kw_only=True)
class BulkAsked:
    """What every bulk change is asked: who is meant, and how to answer."""

    file: Annotated[
        Path | None,
        Option("--file", metavar="FILE.csv", help="A list of addresses, or a ZIP of one."),
    ] = None
    segment: Annotated[
        str | None, Option("--segment", metavar="NAME", help="Everybody in this saved segment.")
    ] = None
    newsletter: OnlyOf = None
    columns: Annotated[
        list[str] | None,
        Option("--map", metavar="COLUMN=email", help="Which column of the file is the address."),
    ] = None
    encoding: Encoding = None
    results: Annotated[
        Path | None,
        Option(metavar="FILE", help="What became of each row; next to the file by default."),
    ] = None
    dry_run: DryRun = False
    as_json: AsJson = False


@app.command()
@given(BulkAsked)
def suppress(
    asked: BulkAsked,
    reason: Annotated[SuppressionReason, Option(help="Why.")] = SuppressionReason.MANUAL,
    note: Annotated[str, Option(metavar="TEXT", help="A note for later.")] = "",
) -> None:
    """Suppress many addresses: they get no letters, whatever they subscribe to.

    Addresses that nobody subscribed with are suppressed, too, and named.
    """
    _run(asked, BulkChoice(verb=BulkVerb.SUPPRESS, reason=reason, note=note))


@app.command()
@given(BulkAsked)
def unsubscribe(asked: BulkAsked) -> None:
    """Unsubscribe many; of a segment, from its newsletter only."""
    _run(asked, BulkChoice(verb=BulkVerb.UNSUBSCRIBE))


@app.command()
@given(BulkAsked)
def tag(asked: BulkAsked, tags: Tags) -> None:
    """Add tags to many subscribers."""
    from subscribers.records.service import read_tag  # here: help pages need no database

    wanted = tuple(sorted(map(read_tag, common.slugs_of(tags))))
    _run(asked, BulkChoice(verb=BulkVerb.TAG, tags=wanted))


@app.command()
@given(BulkAsked)
def untag(asked: BulkAsked, tags: Tags) -> None:
    """Remove tags from many subscribers."""
    _run(asked, BulkChoice(verb=BulkVerb.UNTAG, tags=tuple(sorted(common.slugs_of(tags)))))


@app.command()
@given(BulkAsked)
def erase(
    asked: BulkAsked,
    yes: Annotated[
        int | None,
        Option("--yes", metavar="N", help="Confirm how many are erased: it cannot be undone."),
    ] = None,
) -> None:
    """Erase many people with all that is known of them; only a keyed hash of each remains.

    Without --yes it asks to type how many these are.
    """
    _run(asked, BulkChoice(verb=BulkVerb.ERASE), yes=yes)


def _run(asked: BulkAsked, choice: BulkChoice, *, yes: int | None = None) -> None:
    if (asked.file is None) == (asked.segment is None):
        raise typer.BadParameter("give either --file or --segment")
    if choice.verb in (BulkVerb.TAG, BulkVerb.UNTAG) and not choice.tags:
        raise typer.BadParameter("give at least one tag")
    results = asked.results or (asked.file and asked.file.with_suffix(".results.csv"))
    if results and asked.file and results.resolve() == asked.file.resolve():
        raise InvalidList("the results would overwrite the list")
    container().give_way()
    choice, found = _found(asked, choice)
    changing = counted_states(found)[BulkState.CHANGES]
    changed = 0
    if not asked.dry_run and changing:
        if choice.verb is BulkVerb.ERASE:
            _confirm(changing, yes, as_json=asked.as_json)
        changed = _change(asked, choice, found, changing)
    if results:
        container().bulk_rows.write(results, found, _words(choice, dry_run=asked.dry_run))
    _answer(asked, choice, found, changed, results)


def _found(asked: BulkAsked, choice: BulkChoice) -> "tuple[BulkChoice, StoredRows]":
    """Return whom a change means; of a segment, it concerns the segment's newsletter."""
    rows = container().bulk_rows
    if asked.segment:
        slug, now = list_of(asked.newsletter).slug, container().clock.now()
        chosen = container().segments.get(slug, asked.segment).filter
        choice = replace(choice, newsletter=slug)
        return choice, rows.in_segment(choice, slug, chosen, now=now)
    assert asked.file
    if asked.newsletter:
        choice = replace(choice, newsletter=list_of(asked.newsletter).slug)
    columns = tuple(asked.columns or ())
    try:
        return choice, rows.in_file(choice, asked.file, columns=columns, encoding=asked.encoding)
    except ListQuestions as questions:
        raise InvalidList(f"{questions}\nGive {' '.join(questions.options)}") from questions


def _confirm(changing: int, yes: int | None, *, as_json: bool) -> None:
    """Ask for the number of those who are erased, where somebody can type it."""
    if yes is None and console.is_terminal and not as_json:
        yes = typer.prompt(
            f"{changing:,} people will be erased for good. Type {changing}", type=int
        )
    if yes is None:
        raise typer.BadParameter(
            f"this cannot be undone; confirm with --yes {changing}", param_hint="'--yes'"
        )
    if yes != changing:
        raise typer.BadParameter(
            f"{changing:,} would be erased, not {yes:,}; nobody was", param_hint="'--yes'"
        )


def _change(asked: BulkAsked, choice: BulkChoice, found: "StoredRows", changing: int) -> int:
    chosen_by = (
        f"segment {asked.segment}" if asked.segment else f"file {asked.file and asked.file.name}"
    )
    with common.progress(choice.verb, as_json=asked.as_json) as show_progress:
        return container().bulk_changes.change(
            choice,
            found,
            chosen_by=chosen_by,
            actor=actor(),
            on_progress=lambda done: show_progress(choice.verb, done, changing),
        )


def _words(choice: BulkChoice, *, dry_run: bool) -> dict[BulkState, str]:
    done = _DONE[choice.verb]
    return {
        BulkState.CHANGES: f"would be {done}" if dry_run else done,
        BulkState.ALREADY: f"nothing to do: {_ALREADY[choice.verb]}",
        BulkState.UNKNOWN: "unknown",
        BulkState.REFUSED: "no address",
        BulkState.REPEATED: "repeated",
    }


_ALREADY = {
    BulkVerb.SUPPRESS: "already suppressed",
    BulkVerb.UNSUBSCRIBE: "already left",
    BulkVerb.ERASE: "already erased",
    BulkVerb.TAG: "already tagged",
    BulkVerb.UNTAG: "has no such tag",
}


def _answer(
    asked: BulkAsked,
    choice: BulkChoice,
    found: "StoredRows",
    changed: int,
    results: Path | None,
) -> None:
    counts = counted_states(found)
    words = _words(choice, dry_run=asked.dry_run)
    some = list(islice((one for one in found if one.state is BulkState.CHANGES), _SHOWN))
    named = [one for one in found if one.problem]
    data = {
        "verb": choice.verb,
        "dry_run": asked.dry_run,
        "rows": len(found),
        "counts": counts,
        "changed": changed,
        "sample": [one.email for one in some] if asked.dry_run else [],
        "problems": [
            {"line": one.line, "email": one.email, "problem": one.problem} for one in named
        ],
        "results": results and str(results),
    }

    def show_text() -> None:
        text = common.listed({words[state]: count for state, count in counts.items()})
        console.print(f"{common.counted(len(found), 'row')}: {escape(text) or 'nobody'}")
        if asked.dry_run:
            _print_sample(some, counts[BulkState.CHANGES])
        _print_problems(named)
        if results:
            console.print(f"[dim]row by row: {escape(str(results))}[/]")

    answer(data, as_json=asked.as_json, show=show_text)


def _print_sample(some: Sequence[BulkRow], changing: int) -> None:
    for one in some:
        console.print(f"  {escape(one.email)}")
    if changing > len(some):
        console.print(f"  [dim]… and {changing - len(some):,} more[/]")


def _print_problems(named: Sequence[BulkRow]) -> None:
    for one in named[:_NAMED]:
        console.print(f"  line {one.line}: {escape(one.email)}: {escape(one.problem)}")
    if len(named) > _NAMED:
        console.print(f"  [dim]… and {len(named) - _NAMED:,} more such rows, in the results[/]")
