"""An issue's account, for people and as data."""

from typing import Any

from newsletter.cli.desk import console, plain
from newsletter.core.account import Account
from newsletter.core.filed import FiledIssue


def issue_data(filed: FiledIssue, account: Account | None = None) -> dict[str, Any]:
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
    }
    if account:
        data["account"] = plain(account) | {"adds_up": account.sums.add_up}
    return data


def say_issue(filed: FiledIssue) -> None:
    """Tell a person what an issue holds."""
    issue = filed.issue
    number = f"No. {issue.number}" if issue.number else "no number"
    console.print(f"[bold]{issue.newsletter} {issue.date}[/] · {number} · {filed.state}")
    if filed.reason:
        console.print(f"  [yellow]{filed.reason}[/]")
    if filed.approved_by:
        console.print(f"  [dim]approved by {filed.approved_by}, {filed.approved_at:%H:%M:%S %Z}[/]")
    for entry in issue.entries:
        mark = "[bold]★[/]" if entry.lead else " "
        console.print(f"  {mark} {entry.brief.title}  [dim]{', '.join(entry.topics)}[/]")


def say_account(account: Account) -> None:
    """Tell a person how an issue's sending stands, and whether its sums add up."""
    sums = account.sums
    console.print(
        f"  audience    {sums.audience:>9,}  =  {sums.deliveries:,} deliveries"
        f" + {sums.excluded:,} excluded{_reasons(account.exclusions)}"
    )
    console.print(
        f"  deliveries  {sums.deliveries:>9,}  =  {sums.accepted:,} accepted"
        f" + {sums.refused:,} refused{_reasons(account.refusals)} + {sums.unknown:,} unknown"
        f" + {sums.skipped:,} skipped{_reasons(account.skips)} + {sums.to_go:,} to go"
    )
    console.print(f"  events      {sums.deliveries:>9,}  =  {_events(account.events)}")
    told = "[green]the sums add up[/]" if sums.add_up else "[bold red]THE SUMS DO NOT ADD UP[/]"
    console.print(
        f"  {told} · {account.editions} editions · "
        f"{sum(account.batches.values())} batches{_reasons(account.batches)} · "
        f"{account.requests} requests"
    )


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
    return f" ({told})" if told else ""
