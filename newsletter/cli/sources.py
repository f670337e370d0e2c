"""`newsletter sources`: what is polled for briefs, and with what result."""

from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from newsletter.cli import common
from newsletter.cli.common import AsJson, Slug, answer, console, container, newsletter_of
from newsletter.core.source_record import PollResult, SourceState, Tally

if TYPE_CHECKING:
    from newsletter.services.polling import Poll, SourceReport

app = typer.Typer(no_args_is_help=True, help="Poll feeds and WordPress sites for briefs.")

_COLOURS = {
    SourceState.UNPOLLED: "dim",
    SourceState.UP: "green",
    SourceState.FAILING: "yellow",
    SourceState.DOWN: "red",
    SourceState.QUIET: "yellow",
}
_NONE = "This newsletter polls no sources; name some in its file, under \\[\\[sources]]."


@app.command("list")
def show_all(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List the sources: when they last answered, what they brought, and their health."""
    found = container().polling.reports(newsletter_of(newsletter))
    answer([_data(report) for report in found], as_json=as_json, show=lambda: _print_list(found))


@app.command()
def poll(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Poll every source now, and check the briefs that are new."""
    polls = container().polling.poll_all(newsletter_of(newsletter))
    data = [{"result": p.result, **_data(p.report), "tally": p.tally} for p in polls]
    answer(data, as_json=as_json, show=lambda: _print_polls(polls))
    if any(p.result is PollResult.FAILED for p in polls):
        raise typer.Exit(1)


def _data(report: "SourceReport") -> dict[str, Any]:
    source, record = report.source, report.record
    return {
        "newsletter": report.newsletter,
        "source": source.slug,
        "kind": source.kind,
        "url": source.shown_url,
        "poll_minutes": source.poll_minutes,
        "health": report.health,
        "polled_at": record.polled_at,
        "answered_at": record.answered_at,
        "news_at": record.news_at,
        "retry_at": record.retry_at,
        "tally": record.tally,
        "refused": record.refused,
    }


def _print_list(reports: "tuple[SourceReport, ...]") -> None:
    head = ("source", "kind", "health", "last polled", "last result, and what was refused")
    console.print(common.headed(*head, rows=map(_row, reports)) if reports else _NONE)


def _row(report: "SourceReport") -> tuple[str, ...]:
    record, state = report.record, report.health.state
    return (
        f"{report.source.slug}\n[dim]{escape(report.source.shown_url)}[/]",
        report.source.kind,
        f"[{_COLOURS[state]}]{state}[/]",
        common.minute(record.polled_at) if record.polled_at else "never",
        "\n".join((_summary(record.tally), *_troubles(report))),
    )


def _print_polls(polls: "tuple[Poll, ...]") -> None:
    for one in polls:
        text = _summary(one.tally) if one.result is PollResult.READ else one.result
        lines = (f"{one.report.source.slug}: {text}", *_troubles(one.report))
        console.print("\n    ".join(lines))
    if not polls:
        console.print(_NONE)


def _summary(tally: Tally) -> str:
    counts = {
        "new": tally.new,
        "revised": tally.revised,
        "corrections": tally.correction,
        "unchanged": tally.unchanged,
        "refused": tally.refused,
        "too old": tally.older,
        "without a date, and there from the first": tally.undated,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"


def _troubles(report: "SourceReport") -> list[str]:
    health = report.health
    trouble: list[str] = []
    if health.since and health.state is SourceState.QUIET:
        trouble = [f"[yellow]nothing new since {common.minute(health.since)}[/]"]
    elif health.since:
        times = "once" if health.failures == 1 else f"{health.failures} times"
        trouble = [f"[red]{escape(health.error)}[/] ({times} since {common.minute(health.since)})"]
    if report.record.retry_at:
        trouble.append(f"its server asked to wait until {common.minute(report.record.retry_at)}")
    refused = [f"{escape(one.item)}: {escape(one.reason)}" for one in report.record.refused]
    return trouble + refused
