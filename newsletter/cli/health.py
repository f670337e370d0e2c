"""`newsletter subscribers health`: how a list grows, who can be written to, and who reads."""

from collections.abc import Iterable
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from newsletter.cli.common import AsJson, Slug, answer, console, house, newsletter_of, plain
from newsletter.cli.report import counted
from newsletter.core.publication import Newsletter
from newsletter.services.list_health import HealthReport
from subscribers.health.service import TROUBLE_DAYS, WEEKS, Figures, HealthFigures, Waiting
from subscribers.model import EVERYTHING, SuppressionReason

app = typer.Typer()

_BAR = 24  #: columns of the longest bar
_HARD = (SuppressionReason.BOUNCE, SuppressionReason.INVALID)


@app.command()
def health(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Say how a list grows, who can be written to, what went wrong, and who reads."""
    which = newsletter_of(newsletter)
    found = house().list_health.report(which)
    answer(_data(found), as_json=as_json, say=lambda: _say(found, which))


def _data(found: HealthReport) -> dict[str, Any]:
    shares = {
        "bounced": found.share(*_HARD),
        "soft_bounced": found.share(SuppressionReason.SOFT_BOUNCE),
        "complained": found.share(SuppressionReason.COMPLAINT),
    }
    return {**plain(found), "shares": shares, "trouble_days": TROUBLE_DAYS}


def _say(found: HealthReport, which: Newsletter) -> None:
    health, figures = found.health, found.health.figures
    counts = figures.counts
    console.print(
        f"[bold]{found.newsletter}[/]: {counts.subscriptions:,} subscriptions, "
        f"[bold]{counts.mailable:,}[/] may be written to"
    )
    _section("How they stand", _standing(figures))
    _section(f"Growth, {WEEKS} weeks", _growth(health))
    console.print(f"  {_latest(health)}")
    console.print(f"  {_waiting(figures.waiting, health)}")
    _section(f"Trouble, {TROUBLE_DAYS} days", _trouble(found))
    _section("Who reads, of those who may be written to", _reading(figures))
    _section("What they chose", _choices(figures, which))


def _section(title: str, table: Table) -> None:
    console.print(f"\n[bold]{title}[/]")
    console.print(table)


def _table(rows: Iterable[tuple[str, int, str]]) -> Table:
    """Return rows of a name, a count, and what is said of it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=24)
    table.add_column(justify="right", min_width=9)
    table.add_column()
    for name, count, said in rows:
        table.add_row(f"  {name}", f"{count:,}", said)
    return table


def _bar(count: int, most: int, colour: str) -> str:
    return f"[{colour}]{'█' * max(1, round(_BAR * count / most))}[/]" if count else ""


def _share(count: int, whole: int) -> str:
    return f"[dim]{count / whole:.1%}[/]" if whole else ""


def _standing(figures: Figures) -> Table:
    counts = figures.counts
    reasons = ", ".join(
        f"{reason.replace('_', ' ')} {count:,}"
        for reason, count in figures.suppressed.items()
        if count
    )
    stand = {
        "may be written to": counts.mailable,
        "paused": counts.paused,
        "left": counts.ended,
        "suppressed": counts.suppressed,
    }
    return _table(
        (
            name,
            count,
            _share(count, counts.subscriptions)
            + (f"  [dim]{reasons}[/]" if name == "suppressed" and reasons else ""),
        )
        for name, count in stand.items()
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
    told = (
        f"{named[days]} [green]+{one.joined:,}[/] [red]−{one.left:,}[/]"
        for days, one in health.latest.items()
    )
    return " · ".join(told)


def _waiting(waiting: Waiting, health: HealthFigures) -> str:
    if waiting.oldest is None:
        told = "no sign-up waits for its confirmation"
    else:
        waited = health.at - waiting.oldest
        age = counted(waited.days, "day") if waited.days else f"{waited.seconds // 3600} hours"
        many = "sign-up waits" if waiting.open == 1 else "sign-ups wait"
        told = f"{waiting.open:,} {many} for confirmation, the oldest for {age}"
    return told + (f"; {waiting.expired:,} ran out" if waiting.expired else "")


def _trouble(found: HealthReport) -> Table:
    silenced = found.health.figures.silenced
    rows = {
        "bounced for good": _HARD,
        "soft bounces, worn out": (SuppressionReason.SOFT_BOUNCE,),
        "complained": (SuppressionReason.COMPLAINT,),
    }

    def said(reasons: tuple[SuppressionReason, ...]) -> str:
        share = found.share(*reasons)
        return "" if share is None else f"[dim]{share:.3%} of the letters[/]"

    return _table(
        [
            ("letters accepted", found.accepted, ""),
            *(
                (name, sum(silenced[one] for one in reasons), said(reasons))
                for name, reasons in rows.items()
            ),
        ]
    )


def _reading(figures: Figures) -> Table:
    mailable = figures.counts.mailable
    told = [
        (f"silent for {days} days", count, _share(count, mailable))
        for days, count in figures.inactive.items()
    ]
    return _table([*told, ("never seen to read", figures.never, _share(figures.never, mailable))])


def _choices(figures: Figures, which: Newsletter) -> Table:
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
            + ("" if slug in which.topic_slugs else " [dim]no topic any more[/]"),
        )
        for slug in known
    ]
    return _table([*often, ("every topic", everything, _share(everything, mailable)), *chosen])
