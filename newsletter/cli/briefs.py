"""`newsletter briefs`: receive briefs, see their checks, and decide about them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, BriefId, Date, Slug, actor, answer, console, container
from newsletter.core.brief import Importance, Verification
from newsletter.core.publication import span_of
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling
from newsletter.errors import InvalidBrief

if TYPE_CHECKING:
    from newsletter.services.receiving import Receipt
    from newsletter.stores.decisions import Decision

app = typer.Typer(no_args_is_help=True, help="Receive briefs and decide about them.")

COLOURS = {Ruling.ACCEPTED: "green", Ruling.HELD: "yellow", Ruling.REJECTED: "red"}

_MOST_SKIPPED = 5  #: names of skipped files shown: the folder may be a whole disk


@app.command()
def add(
    paths: Annotated[list[Path], Argument(help="Files or folders: .md .json .txt .html")],
    source_url: Annotated[
        str, Option(metavar="URL", help="The source's address, where the page does not give one.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Receive briefs from files; each file is received whole or not at all."""
    # Imported here because only this command needs it, and it is slow to import.
    from newsletter.adapters.sources.files import find_files, read_file, skipped_files

    receipts: list[tuple[Path, Receipt]] = []
    faults: list[InvalidBrief] = []
    for path in find_files(paths):
        try:
            briefs = read_file(path, source_url=source_url)
            receipts += [(path, r) for r in container().intake.receive_all(briefs, place=str(path))]
        except InvalidBrief as fault:
            faults.append(fault)
    data: dict[str, Any] = {
        "received": [
            {"file": str(p), "arrival": r.arrival, **_short(r.stored)} for p, r in receipts
        ],
        "errors": [str(fault) for fault in faults],
        "skipped": [str(path) for path in skipped_files(paths)],
    }
    answer(data, as_json=as_json, show=lambda: _print_received(receipts, faults, data["skipped"]))
    if faults:
        raise typer.Exit(2)


def _print_received(
    receipts: "list[tuple[Path, Receipt]]", faults: list[InvalidBrief], skipped: list[str]
) -> None:
    for path, receipt in receipts:
        console.print(f"{escape(path.name)}: [dim]{receipt.arrival}[/], {_summary(receipt.stored)}")
    for fault in faults:
        console.print(f"[red]refused[/] {escape(str(fault))}")
    for path in skipped[:_MOST_SKIPPED]:
        console.print(f"[dim]not in the format of a brief, skipped: {escape(path)}[/]")
    if len(skipped) > _MOST_SKIPPED:
        console.print(f"[dim]and {len(skipped) - _MOST_SKIPPED:,} more files skipped[/]")
    if not (receipts or faults):
        console.print("There are no briefs here.")


def _summary(stored: StoredBrief) -> str:
    colour = COLOURS[stored.ruling]
    title = escape(stored.brief.title)
    reasons = "".join(f"\n    {escape(reason)}" for reason in stored.reasons)
    return f"[{colour}]{stored.ruling}[/] as brief {stored.brief_id}: {title}{reasons}"


@app.command("list")
def show_all(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List the briefs received on a date."""
    which, on = common.issue_of(newsletter, date)
    start, end = span_of(which, on)
    found = container().briefs.on(start, end, which.pillar)
    head = ("id", "ruling", "label", "", "title, topics, and problems")
    table = common.headed(*head, rows=map(_row, found), right=[0])
    text = table if found else "No briefs were received that day."
    data = [_short(stored) for stored in found]
    answer(data, as_json=as_json, show=lambda: console.print(text))


def _row(stored: StoredBrief) -> tuple[str, ...]:
    brief, ruling = stored.brief, stored.ruling
    topics = f"[dim]{', '.join(stored.verdict.topics) or 'no topic'}[/]"
    return (
        str(stored.brief_id),
        f"[{COLOURS[ruling]}]{ruling}[/]",
        brief.verification,
        brief.importance,
        "\n".join((escape(brief.title), topics, *map(escape, stored.reasons))),
    )


@app.command()
def show(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Show a brief with every finding of the checks."""
    stored = container().briefs.get(brief_id)
    decisions = container().decisions.about(f"brief {brief_id}")
    data = {**vars(stored), "decisions": decisions}
    answer(data, as_json=as_json, show=lambda: _print_brief(stored, decisions))


def _print_brief(stored: StoredBrief, decisions: "tuple[Decision, ...]") -> None:
    brief = stored.brief
    console.print(f"[bold]{escape(brief.title)}[/]")
    console.print(
        escape(
            f"brief {stored.brief_id}, revision {stored.revision} · {brief.pillar} · "
            f"{brief.verification} · {brief.importance} · {brief.minutes} min · "
            f"{brief.source.name} {brief.source.url}"
        )
    )
    from newsletter.adapters.sources.cleaning import text_of

    for text in filter(None, (brief.summary, brief.why, *map(text_of, brief.body))):
        console.print(f"\n{escape(text)}", soft_wrap=False)
    console.print(f"\n{_summary(stored)}\n")
    for finding in stored.verdict.findings:
        mark = "[yellow]waived[/]" if finding.waived else "[red]✗[/]"
        mark = "[green]✓[/]" if finding.passed else mark
        console.print(f"  {mark} {finding.check}: {escape(finding.reason)}")
    for one in decisions:
        text = ", ".join(f"{name} {value}" for name, value in one.detail.items())
        line = f"{common.minute(one.at)}, {one.actor}: {one.verb} {text}".rstrip()
        console.print(f"  [dim]{escape(line)}[/]")


def _said(help_text: str, metavar: str = "TEXT", least: int | None = None) -> Any:
    """Return the option for what is to change; what is not given stays."""
    return Option(metavar=metavar, help=help_text, min=least)


@app.command()
def edit(
    brief_id: BriefId,
    source_url: Annotated[str | None, _said("The source's address.", "URL")] = None,
    source_name: Annotated[str | None, _said("Who reported it.", "NAME")] = None,
    topics: Annotated[str | None, _said("Topics, by slug.", "A,B")] = None,
    verification: Annotated[
        Verification | None, _said("verified, partial or unverified.", "LABEL")
    ] = None,
    importance: Annotated[Importance | None, _said("How much it matters.", "H|M|L")] = None,
    title: Annotated[str | None, _said("The headline.")] = None,
    summary: Annotated[str | None, _said("What happened, a short paragraph.")] = None,
    why: Annotated[str | None, _said("Why it matters, one sentence.")] = None,
    minutes: Annotated[int | None, _said("Reading time; 0: none.", "N", least=0)] = None,
    short: Annotated[str | None, _said("Subject of a letter that it leads.")] = None,
    line: Annotated[str | None, _said("One sentence, printed where it does not lead.")] = None,
    unconfirmed: Annotated[str | None, _said("What is not confirmed of it.")] = None,
    picture: Annotated[str | None, _said("A picture's https address.", "URL")] = None,
    picture_alt: Annotated[str | None, _said("What the picture shows.")] = None,
    picture_width: Annotated[
        int | None, _said("Width of its file in pixels; 0: not known.", "N", least=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a brief; it is checked again, and an approval of its issue is withdrawn."""
    given = {k: v for k, v in locals().items() if k not in {"brief_id", "as_json"}}
    given["topics"] = None if topics is None else common.slugs_of(topics)
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("give what to change, such as --source-url URL")
    receipt = container().intake.edit(brief_id, changes, actor=actor())
    answer(
        {"arrival": receipt.arrival, **_short(receipt.stored)},
        as_json=as_json,
        show=lambda: console.print(f"{receipt.arrival}, {_summary(receipt.stored)}"),
    )


@app.command()
def hold(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Hold a brief back until someone accepts it; one that was printed is withdrawn on the web."""
    _decided(container().intake.hold(brief_id, actor=actor()), as_json=as_json)


@app.command()
def accept(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Accept a held brief, if the checks it failed may be waived."""
    _decided(container().intake.accept(brief_id, actor=actor()), as_json=as_json)


def _decided(stored: StoredBrief, *, as_json: bool) -> None:
    answer(_short(stored), as_json=as_json, show=lambda: console.print(_summary(stored)))


def _short(stored: StoredBrief) -> dict[str, Any]:
    return {
        "id": stored.brief_id,
        "revision": stored.revision,
        "title": stored.brief.title,
        "ruling": stored.ruling,
        "reasons": stored.reasons,
        "verification": stored.brief.verification,
        "importance": stored.brief.importance,
        "topics": stored.verdict.topics,
        "issue_id": stored.issue_id,
    }
