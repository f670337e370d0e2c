"""`newsletter briefs`: what came in, what the gate said, and a person's word on it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

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
)
from newsletter.core.brief import Importance, Verification
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling
from newsletter.errors import InvalidBrief
from newsletter.ports import Decision
from newsletter.services.intake import Receipt
from newsletter.services.publishing import span_of

app = typer.Typer(no_args_is_help=True, help="Receive briefs and decide about them.")

COLOURS = {Ruling.ACCEPTED: "green", Ruling.HELD: "yellow", Ruling.REJECTED: "red"}

_MOST_SKIPPED = 5  #: files named that hold no brief: somebody may have named a whole disk

BriefId = Annotated[int, typer.Argument(metavar="ID", help="As `briefs list` shows it.")]


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: .md .json .txt .html")],
    source_url: Annotated[
        str,
        typer.Option(metavar="URL", help="The source's address, where the page does not give one."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Receive briefs from files; each file is taken whole or not at all."""
    # Imported here, like all that parses: only this verb needs it.
    from newsletter.adapters.sources import (  # noqa: PLC0415
        find_files,
        read_file,
        skipped_files,
    )

    receipts: list[tuple[Path, Receipt]] = []
    faults: list[InvalidBrief] = []
    for path in find_files(paths):
        try:
            briefs = read_file(path, source_url=source_url)
            receipts += [(path, r) for r in house().intake.receive_all(briefs, place=str(path))]
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
        console.print(f"{escape(path.name)}: [dim]{receipt.arrival}[/], {_told(receipt.filed)}")
    for fault in faults:
        console.print(f"[red]not taken[/] {escape(str(fault))}")
    for path in skipped[:_MOST_SKIPPED]:
        console.print(f"[dim]no brief's format, left alone: {escape(path)}[/]")
    if len(skipped) > _MOST_SKIPPED:
        console.print(f"[dim]and {len(skipped) - _MOST_SKIPPED:,} more files left alone[/]")
    if not (receipts or faults):
        console.print("There is no brief here.")


def _told(filed: StoredBrief) -> str:
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


def _say_list(found: tuple[StoredBrief, ...]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("id", justify="right")
    for column in ("ruling", "label", "", "title, topics, and what stands against it"):
        table.add_column(column)
    for filed in found:
        brief, ruling = filed.brief, filed.ruling
        topics = f"[dim]{', '.join(filed.verdict.topics) or 'no topic'}[/]"
        table.add_row(
            str(filed.brief_id),
            f"[{COLOURS[ruling]}]{ruling}[/]",
            brief.verification,
            brief.importance,
            "\n".join((escape(brief.title), topics, *map(escape, filed.reasons))),
        )
    console.print(table if found else "No brief was received that day.")


@app.command()
def show(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Show a brief with every finding of the gate."""
    filed = house().briefs.get(brief_id)
    decisions = house().decisions.about(f"brief {brief_id}")
    data = {**vars(filed), "decisions": decisions}
    answer(data, as_json=as_json, say=lambda: _say_brief(filed, decisions))


def _say_brief(filed: StoredBrief, decisions: tuple[Decision, ...]) -> None:
    brief = filed.brief
    console.print(f"[bold]{escape(brief.title)}[/]")
    console.print(
        escape(
            f"brief {filed.brief_id}, revision {filed.revision} · {brief.pillar} · "
            f"{brief.verification} · {brief.importance} · {brief.minutes} min · "
            f"{brief.source.name} {brief.source.url}"
        )
    )
    from newsletter.adapters.sources.cleaning import text_of  # noqa: PLC0415

    for text in filter(None, (brief.summary, brief.why, *map(text_of, brief.body))):
        console.print(f"\n{escape(text)}", soft_wrap=False)
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
    for one in decisions:
        told = ", ".join(f"{name} {value}" for name, value in one.detail.items())
        line = f"{one.at:%Y-%m-%d %H:%M %Z}, {one.actor}: {one.verb} {told}".rstrip()
        console.print(f"  [dim]{escape(line)}[/]")


@app.command()
def edit(
    brief_id: BriefId,
    source_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The source's address.")
    ] = None,
    source_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who reported it.")
    ] = None,
    topics: Annotated[str | None, typer.Option(metavar="A,B", help="Topics, by slug.")] = None,
    verification: Annotated[
        Verification | None,
        typer.Option(metavar="LABEL", help="verified, partial or unverified."),
    ] = None,
    importance: Annotated[
        Importance | None, typer.Option(metavar="H|M|L", help="How much it matters.")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The headline.")] = None,
    summary: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What happened, a short paragraph.")
    ] = None,
    why: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why it matters, one sentence.")
    ] = None,
    minutes: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Reading time; 0: none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a brief; the gate rules anew, and an approval of its issue is void."""
    # Long because a verb's options are its parameters.
    given: dict[str, Any] = {
        "source_url": source_url,
        "source_name": source_name,
        "topics": None if topics is None else slugs_of(topics),
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
    from newsletter.adapters.sources.cleaning import plain  # noqa: PLC0415

    return plain(value) if type(value) is str else value


@app.command()
def hold(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Keep a brief out of print until someone accepts it."""
    _decided(house().intake.hold(brief_id, actor=actor()), as_json=as_json)


@app.command()
def accept(brief_id: BriefId, as_json: AsJson = False) -> None:
    """Accept a held brief; what no one may waive is refused."""
    _decided(house().intake.accept(brief_id, actor=actor()), as_json=as_json)


def _decided(filed: StoredBrief, *, as_json: bool) -> None:
    answer(_short(filed), as_json=as_json, say=lambda: console.print(_told(filed)))


def _short(filed: StoredBrief) -> dict[str, Any]:
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
