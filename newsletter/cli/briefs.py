"""`newsletter briefs`: what came in, what the gate said, and a person's word on it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from newsletter.adapters.sources import find_files, read_file, skipped_files
from newsletter.adapters.sources.cleaning import plain
from newsletter.cli.desk import (
    AsJson,
    Date,
    Slug,
    actor,
    answer,
    console,
    date_of,
    house,
    newsletter_of,
)
from newsletter.core.brief import Importance, Verification
from newsletter.core.filed import FiledBrief
from newsletter.core.verification import Ruling
from newsletter.errors import InvalidBrief
from newsletter.services.intake import Receipt
from newsletter.services.publishing import span_of

app = typer.Typer(no_args_is_help=True, help="Receive briefs and decide about them.")

COLOURS = {Ruling.ACCEPTED: "green", Ruling.HELD: "yellow", Ruling.REJECTED: "red"}

BriefId = Annotated[int, typer.Argument(metavar="ID", help="As `briefs list` shows it.")]


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: .md .json .txt .html")],
    source_url: Annotated[
        str, typer.Option(help="The source's address, where the page does not give one.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Receive briefs from files; each file is taken whole or not at all."""
    receipts: list[tuple[Path, Receipt]] = []
    faults: list[InvalidBrief] = []
    for path in find_files(paths):
        try:
            briefs = read_file(path, source_url=source_url)
            receipts += [(path, house().intake.receive(b, place=str(path))) for b in briefs]
        except InvalidBrief as fault:
            faults.append(fault)
    data: dict[str, Any] = {
        "received": [
            {"file": str(p), "arrival": r.arrival, **_short(r.filed)} for p, r in receipts
        ],
        "errors": [str(fault) for fault in faults],
        "skipped": [str(path) for path in skipped_files(paths)],
    }
    answer(data, as_json=as_json, say=lambda: _say_received(receipts, faults, data["skipped"]))
    if faults:
        raise typer.Exit(2)


def _say_received(
    receipts: list[tuple[Path, Receipt]], faults: list[InvalidBrief], skipped: list[str]
) -> None:
    for path, receipt in receipts:
        console.print(f"{path.name}: [dim]{receipt.arrival}[/], {_told(receipt.filed)}")
    for fault in faults:
        console.print(f"[red]not taken[/] {escape(str(fault))}")
    for path in skipped:
        console.print(f"[dim]no brief's format, left alone: {escape(path)}[/]")


def _told(filed: FiledBrief) -> str:
    colour = COLOURS[filed.ruling]
    title = escape(filed.brief.title)
    reasons = "".join(f"\n    {escape(reason)}" for reason in filed.reasons)
    return f"[{colour}]{filed.ruling}[/] as brief {filed.brief_id}: {title}{reasons}"


@app.command("list")
def show_all(date: Date = None, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List the briefs received on a date."""
    which = newsletter_of(newsletter)
    start, end = span_of(which, date_of(date, which))
    found = house().briefs.on(start, end, which.pillar)
    answer([_short(filed) for filed in found], as_json=as_json, say=lambda: _say_list(found))


def _say_list(found: tuple[FiledBrief, ...]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "ruling", "label", "", "topics", "title"):
        table.add_column(column)
    for filed in found:
        brief, ruling = filed.brief, filed.ruling
        table.add_row(
            str(filed.brief_id),
            f"[{COLOURS[ruling]}]{ruling}[/]",
            brief.verification,
            brief.importance,
            ", ".join(filed.verdict.topics),
            escape("\n".join((brief.title, *filed.reasons))),
        )
    console.print(table if found else "No brief was received that day.")


@app.command()
def show(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Show a brief with every finding of the gate."""
    filed = house().briefs.get(brief_id)
    answer(filed, as_json=as_json, say=lambda: _say_brief(filed))


def _say_brief(filed: FiledBrief) -> None:
    brief = filed.brief
    console.print(f"[bold]{escape(brief.title)}[/]")
    console.print(
        escape(
            f"brief {filed.brief_id}, revision {filed.revision} · {brief.pillar} · "
            f"{brief.verification} · {brief.importance} · {brief.minutes} min · "
            f"{brief.source.name} {brief.source.url}"
        )
    )
    for text in (brief.summary, brief.why, *brief.body):
        console.print(f"\n{escape(text)}" if text else "", soft_wrap=False)
    console.print(f"\n{_told(filed)}\n")
    for finding in filed.verdict.findings:
        mark = (
            "[green]✓[/]"
            if finding.passed
            else "[yellow]waived[/]"
            if finding.waived
            else "[red]✗[/]"
        )
        console.print(f"  {mark} {finding.check}: {escape(finding.reason)}")


@app.command()
def edit(
    brief_id: BriefId,
    source_url: Annotated[str | None, typer.Option(help="The source's address.")] = None,
    source_name: Annotated[str | None, typer.Option(help="Who reported it.")] = None,
    topics: Annotated[str | None, typer.Option(metavar="A,B", help="Topics, by slug.")] = None,
    verification: Annotated[Verification | None, typer.Option(help="The label.")] = None,
    importance: Annotated[Importance | None, typer.Option(help="H, M or L.")] = None,
    title: Annotated[str | None, typer.Option()] = None,
    summary: Annotated[str | None, typer.Option()] = None,
    why: Annotated[str | None, typer.Option(help="Why it matters, one sentence.")] = None,
    minutes: Annotated[int | None, typer.Option(min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Change a brief; the gate looks at it anew, and an approval it was part of is void."""
    given: dict[str, Any] = {
        "source_url": source_url,
        "source_name": source_name,
        "topics": tuple(t.strip() for t in topics.split(",") if t.strip()) if topics else None,
        "verification": verification,
        "importance": importance,
        "title": title,
        "summary": summary,
        "why": why,
        "minutes": minutes,
    }
    changes = {name: _clean(value) for name, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change, such as --source-url URL")
    receipt = house().intake.edit(brief_id, changes, actor=actor())
    answer(
        {"arrival": receipt.arrival, **_short(receipt.filed)},
        as_json=as_json,
        say=lambda: console.print(f"{receipt.arrival}, {_told(receipt.filed)}"),
    )


def _clean(value: Any) -> Any:
    """Clean what a person typed as what a file says is cleaned; enums and numbers stay."""
    return plain(value) if type(value) is str else value


@app.command()
def hold(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Keep a brief out of print until someone accepts it."""
    _decided(house().intake.hold(brief_id, actor=actor()), as_json=as_json)


@app.command()
def accept(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Accept a held brief; what no one may waive is refused."""
    _decided(house().intake.accept(brief_id, actor=actor()), as_json=as_json)


def _decided(filed: FiledBrief, *, as_json: bool) -> None:
    answer(_short(filed), as_json=as_json, say=lambda: console.print(_told(filed)))


def _short(filed: FiledBrief) -> dict[str, Any]:
    return {
        "id": filed.brief_id,
        "revision": filed.revision,
        "title": filed.brief.title,
        "ruling": filed.ruling,
        "reasons": filed.reasons,
        "verification": filed.brief.verification,
        "importance": filed.brief.importance,
        "topics": filed.verdict.topics,
        "issue_id": filed.issue_id,
    }
