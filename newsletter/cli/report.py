"""An issue's account, for people and as data."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from newsletter.cli.common import console, plain
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.stored import StoredIssue


def issue_data(filed: StoredIssue, account: IssueTotals | None = None) -> dict[str, Any]:
    """Return an issue, and its account if it was planned, as data."""
    data: dict[str, Any] = {
        "id": filed.id,
        "newsletter": filed.issue.newsletter,
        "date": str(filed.issue.date),
        "number": filed.issue.number or None,
        "state": filed.state,
        "reason": filed.reason,
        "briefs": [
            {"id": e.brief_id, "title": e.brief.title, "topics": e.topics, "lead": e.lead}
            for e in filed.issue.entries
        ],
        "content_hash": filed.content_hash,
        "approved_hash": filed.approved_hash,
        "approved_by": filed.approved_by,
        "approved_at": filed.approved_at,
        "segment": filed.segment,
    }
    if account:
        data["account"] = plain(account) | {"adds_up": account.sums.add_up}
    return data


def say_issue(filed: StoredIssue) -> None:
    """Tell a person what an issue holds."""
    issue = filed.issue
    number = f"No. {issue.number}" if issue.number else "no number"
    console.print(f"[bold]{issue.newsletter} {issue.date}[/] · {number} · {filed.state}")
    if filed.reason:
        console.print(f"  [yellow]{escape(filed.reason)}[/]")
    if filed.approved_by:
        by = escape(filed.approved_by)
        console.print(f"  [dim]approved by {by}, {filed.approved_at:%Y-%m-%d %H:%M:%S %Z}[/]")
    if filed.planned_at:
        readers = f"the segment [bold]{filed.segment}[/]" if filed.segment else "all its readers"
        console.print(f"  [dim]to {readers}[/]")
    for entry in issue.entries:
        mark = "[bold]★[/]" if entry.lead else " "
        title = escape(entry.brief.title)
        console.print(f"  {mark} {title}  [dim]{', '.join(entry.topics)}[/]")


def say_account(account: IssueTotals) -> None:
    """Tell a person how an issue's sending stands, and whether its sums add up."""
    sums = account.sums
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_row(
        "  audience",
        f"{sums.audience:,}",
        f"= {counted(sums.deliveries, 'delivery', 'deliveries')}"
        f" + {sums.excluded:,} excluded{_reasons(account.exclusions)}",
    )
    table.add_row(
        "  deliveries",
        f"{sums.deliveries:,}",
        f"= {sums.accepted:,} accepted + {sums.refused:,} refused{_reasons(account.refusals)}"
        f" + {sums.unknown:,} unknown + {sums.skipped:,} skipped{_reasons(account.skips)}"
        f" + {sums.to_go:,} to go",
    )
    table.add_row("  events", f"{sums.deliveries:,}", f"= {_events(account.events)}")
    console.print(table)
    told = "[green]the sums add up[/]" if sums.add_up else "[bold red]THE SUMS DO NOT ADD UP[/]"
    console.print(
        f"  {told} · {counted(account.editions, 'edition')} · "
        f"{counted(sum(account.batches.values()), 'batch', 'batches')}"
        f"{_reasons(account.batches)} · {counted(account.requests, 'request')}"
    )


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _events(events: dict[str, int]) -> str:
    """Group deliveries by what a person asks first: whether it arrived."""
    read = {name: events[name] for name in ("opened", "clicked") if name in events}
    arrived = events.get("delivered", 0) + sum(read.values())
    told = [f"{arrived:,} delivered{_reasons(read)}"]
    for name, count in events.items():
        if name not in {"delivered", "silent", *read}:
            told.append(f"{count:,} {name}")
    if silent := events.get("silent"):
        told.append(f"{silent:,} without news yet")
    return " + ".join(told)


def _reasons(counts: dict[str, int]) -> str:
    told = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in counts.items())
    return escape(f" ({told})") if told else ""
