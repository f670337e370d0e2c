"""`newsletter subscribers health` and `sunset`: how a list fares, and its inactive readers."""

import csv
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer import Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, Slug, answer, console, container, counted, grid
from newsletter.core.publication import Newsletter
from subscribers.health.model import RECENT_DAYS, WEEKS, HealthFigures, ListFigures, Waiting
from subscribers.model import EVERYTHING, SuppressionReason

if TYPE_CHECKING:
    from newsletter.services.list_health import HealthReport

Row = tuple[str, int, str]  #: a name, a count, and a remark

app = typer.Typer()

_BAR = 24  #: columns of the longest bar
_HARD = (SuppressionReason.BOUNCE, SuppressionReason.INVALID)


@app.command()
def health(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show how a list grows, who can get letters, what went wrong, and who reads."""
    which = common.newsletter_of(newsletter)
    found = container().list_health.report(which)
    answer(_data(found), as_json=as_json, show=lambda: _print(found, which))


@app.command()
def sunset(
    dry_run: Annotated[
        bool, Option("--dry-run", metavar="", help="Only count, and change nothing.")
    ] = False,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Ask inactive readers whether they still want the newsletter; pause those who did not answer.

    The scheduler does this every hour.
    """
    which, service = common.list_of(newsletter), container().sunset
    found = service.count(which) if dry_run else service.ask_inactive_readers(which)
    would = "would be " if dry_run else ""
    answer(
        {"dry_run": dry_run, "asked": found.asked, "paused": found.paused},
        as_json=as_json,
        show=lambda: console.print(
            f"{which.name}: {found.asked:,} {would}asked whether they still want the newsletter, "
            f"{found.paused:,} {would}paused"
        ),
    )


@app.command()
def growth(
    since: Annotated[
        datetime | None,
        Option(formats=["%Y-%m-%d"], metavar="DATE", help="From this day on; by default 30 days."),
    ] = None,
    until: Annotated[
        datetime | None,
        Option(formats=["%Y-%m-%d"], metavar="DATE", help="To this day; today by default."),
    ] = None,
    weekly: Annotated[
        bool, Option("--weekly", metavar="", help="By week, from Mondays, instead of by day.")
    ] = False,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Write as CSV how many joined and left each topic, and how many it had at each end of day.

    Days are those of UTC. Everybody counts for the topics chosen now; * is whoever chose all.
    """
    last = (until or container().clock.now()).date()
    first = since.date() if since else last - timedelta(days=29)
    if first > last:
        raise typer.BadParameter(f"{first} is after {last}", param_hint="'--since'")
    which = common.newsletter_of(newsletter)
    found = container().list_changes.by_topic(which, first, last, weekly=weekly)
    rows = [(o.first, o.topic, o.joined, o.left, o.net, o.subscribers) for o in found]
    head = ("date", "topic", "joined", "left", "net", "subscribers")
    data = [dict(zip(head, row, strict=True)) for row in rows]
    answer(data, as_json=as_json, show=lambda: _write_csv([head, *rows]))


def _write_csv(lines: Iterable[Iterable[object]]) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(lines)


def _data(found: "HealthReport") -> dict[str, Any]:
    shares = {
        "bounced": found.share(*_HARD),
        "soft_bounced": found.share(SuppressionReason.SOFT_BOUNCE),
        "complained": found.share(SuppressionReason.COMPLAINT),
    }
    return {**common.plain(found), "shares": shares, "trouble_days": RECENT_DAYS}


def _print(found: "HealthReport", which: Newsletter) -> None:
    health, figures = found.health, found.health.figures
    counts = figures.counts
    console.print(
        f"[bold]{found.newsletter}[/]: {counts.subscriptions:,} subscriptions, "
        f"[bold]{counts.mailable:,}[/] can get letters"
    )
    _section("By status", _statuses(figures))
    console.print(f"\n[bold]Growth, {WEEKS} weeks[/]")
    console.print(grid(_growth(health), right=[1, 2]))
    console.print(f"  {_latest(health)}")
    console.print(f"  {_waiting(figures.waiting, health)}")
    _section(f"Problems in the last {RECENT_DAYS} days", _trouble(found))
    _section("Who reads, of those who can get letters", _reading(figures))
    _section("Preferences", _choices(figures, which))


def _section(title: str, rows: Iterable[Row]) -> None:
    console.print(f"\n[bold]{title}[/]")
    table = grid(((f"  {name}", f"{count:,}", more) for name, count, more in rows), right=[1])
    table.columns[0].min_width, table.columns[1].min_width = 24, 9
    console.print(table)


def _bar(count: int, most: int, colour: str) -> str:
    return f"[{colour}]{'█' * max(1, round(_BAR * count / most))}[/]" if count else ""


def _share(count: int, whole: int) -> str:
    return f"[dim]{count / whole:.1%}[/]" if whole else ""


def _statuses(figures: ListFigures) -> Iterator[Row]:
    counts = figures.counts
    suppressed = {reason.replace("_", " "): n for reason, n in figures.suppressed.items() if n}
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in suppressed.items())
    for name, count, more in (
        ("can get letters", counts.mailable, ""),
        ("paused", counts.paused, ""),
        ("unsubscribed", counts.ended, ""),
        ("suppressed", counts.suppressed, f"  [dim]{reasons}[/]" if reasons else ""),
    ):
        yield name, count, _share(count, counts.subscriptions) + more


def _growth(health: HealthFigures) -> Iterator[tuple[str, ...]]:
    yield "  [dim]week of[/]", "[dim]joined[/]", "[dim]left[/]", ""
    most = max(max(week.joined, week.left) for week in health.weeks) or 1
    for week in health.weeks:
        bars = f"{_bar(week.joined, most, 'green')}{_bar(week.left, most, 'red')}"
        so_far = " [dim]so far[/]" if week is health.weeks[-1] else ""
        yield f"  {week.begins}", f"{week.joined:,}", f"{week.left:,}", bars + so_far


def _latest(health: HealthFigures) -> str:
    named = {1: "today", 7: "7 days", 30: "30 days"}
    text = (
        f"{named[days]} [green]+{one.joined:,}[/] [red]−{one.left:,}[/]"
        for days, one in health.latest.items()
    )
    return " · ".join(text)


def _waiting(waiting: Waiting, health: HealthFigures) -> str:
    if waiting.oldest is None:
        text = "no sign-up is waiting for confirmation"
    else:
        waited = health.at - waiting.oldest
        age = counted(waited.days, "day") if waited.days else f"{waited.seconds // 3600} hours"
        many = "sign-up is waiting" if waiting.open == 1 else "sign-ups are waiting"
        text = f"{waiting.open:,} {many} for confirmation, the oldest for {age}"
    return text + (f"; {waiting.expired:,} expired" if waiting.expired else "")


def _trouble(found: "HealthReport") -> Iterator[Row]:
    yield "letters accepted", found.accepted, ""
    for name, reasons in (
        ("hard bounces", _HARD),
        ("too many soft bounces", (SuppressionReason.SOFT_BOUNCE,)),
        ("complained", (SuppressionReason.COMPLAINT,)),
    ):
        share = found.share(*reasons)
        count = sum(found.health.figures.recently_suppressed[one] for one in reasons)
        yield name, count, "" if share is None else f"[dim]{share:.3%} of the letters[/]"


def _reading(figures: ListFigures) -> Iterator[Row]:
    mailable = figures.counts.mailable
    for days, count in figures.inactive.items():
        yield f"inactive for {days} days", count, _share(count, mailable)
    yield "never opened or clicked", figures.never, _share(figures.never, mailable)


def _choices(figures: ListFigures, which: Newsletter) -> Iterator[Row]:
    mailable = figures.counts.mailable
    for frequency, count in figures.frequencies.items():
        yield str(frequency), count, _share(count, mailable)
    topics = dict(figures.topics)
    everything = topics.pop(EVERYTHING, 0)
    yield "every topic", everything, _share(everything, mailable)
    most = max(topics.values(), default=0) or 1
    for slug in (*which.topic_slugs, *sorted(topics.keys() - set(which.topic_slugs))):
        gone = "" if slug in which.topic_slugs else " [dim]no longer a topic[/]"
        count = topics.get(slug, 0)
        yield escape(slug), count, _bar(count, most, "cyan") + gone
