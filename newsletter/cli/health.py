"""`newsletter subscribers health`: how a list grows, who can get letters, and who reads."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.table import Table

from newsletter.cli.common import AsJson, Slug, answer, console, container, newsletter_of, plain
from newsletter.cli.report import counted
from newsletter.core.publication import Newsletter
from subscribers.health.model import RECENT_DAYS, WEEKS, HealthFigures, ListFigures, Waiting
from subscribers.model import EVERYTHING, SuppressionReason

if TYPE_CHECKING:
    from newsletter.services.list_health import HealthReport

app = typer.Typer()

_BAR = 24  #: columns of the longest bar
_HARD = (SuppressionReason.BOUNCE, SuppressionReason.INVALID)


@app.command()
def health(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show how a list grows, who can get letters, what went wrong, and who reads."""
    which = newsletter_of(newsletter)
    found = container().list_health.report(which)
    answer(_data(found), as_json=as_json, show=lambda: _print(found, which))


def _data(found: "HealthReport") -> dict[str, Any]:
    shares = {
        "bounced": found.share(*_HARD),
        "soft_bounced": found.share(SuppressionReason.SOFT_BOUNCE),
        "complained": found.share(SuppressionReason.COMPLAINT),
    }
    return {**plain(found), "shares": shares, "trouble_days": RECENT_DAYS}


def _print(found: "HealthReport", which: Newsletter) -> None:
    health, figures = found.health, found.health.figures
    counts = figures.counts
    console.print(
        f"[bold]{found.newsletter}[/]: {counts.subscriptions:,} subscriptions, "
        f"[bold]{counts.mailable:,}[/] can get letters"
    )
    _section("By status", _statuses(figures))
    _section(f"Growth, {WEEKS} weeks", _growth(health))
    console.print(f"  {_latest(health)}")
    console.print(f"  {_waiting(figures.waiting, health)}")
    _section(f"Trouble, {RECENT_DAYS} days", _trouble(found))
    _section("Who reads, of those who can get letters", _reading(figures))
    _section("Preferences", _choices(figures, which))


def _section(title: str, table: Table) -> None:
    console.print(f"\n[bold]{title}[/]")
    console.print(table)


def _table(rows: Iterable[tuple[str, int, str]]) -> Table:
    """Return rows of a name, a count, and a remark."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=24)
    table.add_column(justify="right", min_width=9)
    table.add_column()
    for name, count, remark in rows:
        table.add_row(f"  {name}", f"{count:,}", remark)
    return table


def _bar(count: int, most: int, colour: str) -> str:
    return f"[{colour}]{'█' * max(1, round(_BAR * count / most))}[/]" if count else ""


def _share(count: int, whole: int) -> str:
    return f"[dim]{count / whole:.1%}[/]" if whole else ""


def _statuses(figures: ListFigures) -> Table:
    counts = figures.counts
    reasons = ", ".join(
        f"{reason.replace('_', ' ')} {count:,}"
        for reason, count in figures.suppressed.items()
        if count
    )
    statuses = {
        "can get letters": counts.mailable,
        "paused": counts.paused,
        "unsubscribed": counts.ended,
        "suppressed": counts.suppressed,
    }
    return _table(
        (
            name,
            count,
            _share(count, counts.subscriptions)
            + (f"  [dim]{reasons}[/]" if name == "suppressed" and reasons else ""),
        )
        for name, count in statuses.items()
    )


def _growth(health: HealthFigures) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify)
    table.add_row("  [dim]week of[/]", "[dim]joined[/]", "[dim]left[/]", "")
    most = max(max(week.joined, week.left) for week in health.weeks) or 1
    for week in health.weeks:
        bars = f"{_bar(week.joined, most, 'green')}{_bar(week.left, most, 'red')}"
        so_far = " [dim]so far[/]" if week is health.weeks[-1] else ""
        table.add_row(f"  {week.begins}", f"{week.joined:,}", f"{week.left:,}", bars + so_far)
    return table


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


def _trouble(found: "HealthReport") -> Table:
    suppressed = found.health.figures.recently_suppressed
    rows = {
        "hard bounces": _HARD,
        "too many soft bounces": (SuppressionReason.SOFT_BOUNCE,),
        "complained": (SuppressionReason.COMPLAINT,),
    }

    def share(reasons: tuple[SuppressionReason, ...]) -> str:
        found_share = found.share(*reasons)
        return "" if found_share is None else f"[dim]{found_share:.3%} of the letters[/]"

    return _table(
        [
            ("letters accepted", found.accepted, ""),
            *(
                (name, sum(suppressed[one] for one in reasons), share(reasons))
                for name, reasons in rows.items()
            ),
        ]
    )


def _reading(figures: ListFigures) -> Table:
    mailable = figures.counts.mailable
    inactive = [
        (f"inactive for {days} days", count, _share(count, mailable))
        for days, count in figures.inactive.items()
    ]
    return _table(
        [*inactive, ("never opened or clicked", figures.never, _share(figures.never, mailable))]
    )


def _choices(figures: ListFigures, which: Newsletter) -> Table:
    mailable = figures.counts.mailable
    often = [
        (str(frequency), count, _share(count, mailable))
        for frequency, count in figures.frequencies.items()
    ]
    topics = dict(figures.topics)
    everything = topics.pop(EVERYTHING, 0)
    known = [*which.topic_slugs, *sorted(topics.keys() - set(which.topic_slugs))]
    most = max(topics.values(), default=0) or 1
    chosen = [
        (
            escape(slug),
            topics.get(slug, 0),
            _bar(topics.get(slug, 0), most, "cyan")
            + ("" if slug in which.topic_slugs else " [dim]no longer a topic[/]"),
        )
        for slug in known
    ]
    return _table([*often, ("every topic", everything, _share(everything, mailable)), *chosen])
