"""An issue and its totals, printed and as data."""

from collections.abc import Iterable
from typing import Any

from rich.markup import escape

from newsletter.cli.common import console, counted, grid, plain
from newsletter.core.approval_request import ApprovalRequest
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.core.wording import Wording


def issue_data(stored: StoredIssue, totals: IssueTotals | None = None) -> dict[str, Any]:
    """Return an issue, and its totals if it was planned, as data."""
    data: dict[str, Any] = {
        "id": stored.id,
        "newsletter": stored.issue.newsletter,
        "date": str(stored.issue.date),
        "number": stored.issue.number or None,
        "state": stored.state,
        "reason": stored.reason,
        "paused_by": stored.paused_by,
        "briefs": [
            {
                "id": e.brief_id,
                "title": e.brief.title,
                "short_line": e.short_line,
                "topics": e.topics,
                "lead": e.lead,
            }
            for e in stored.issue.entries
        ],
        "wording": plain(stored.issue.wording),
        "pinned": stored.edits.pinned,
        "left_out": stored.edits.left_out,
        "content_hash": stored.content_hash,
        "approved_hash": stored.approved_hash,
        "approved_by": stored.approved_by,
        "approved_at": stored.approved_at,
        "withdrawn_by": stored.withdrawn_by,
        "segment": stored.segment,
    }
    if totals:
        data["account"] = plain(totals) | {"adds_up": totals.sums.adds_up}
        data["awaited"] = _awaited(stored, totals)
    return data


def print_issue(stored: StoredIssue, totals: IssueTotals | None = None) -> None:
    """Print what is in an issue, and its totals if there are any."""
    issue = stored.issue
    number = f"No. {issue.number}" if issue.number else "no number"
    console.print(f"[bold]{issue.newsletter} {issue.date}[/] · {number} · {stored.state}")
    if stored.state is IssueStatus.PAUSED:
        console.print(f"  [yellow]{escape(stored.pause)}[/]")
    elif stored.reason:
        console.print(f"  [yellow]{escape(stored.reason)}[/]")
    if awaited := _awaited(stored, totals):
        console.print(f"  [yellow]{awaited}[/]")
    if stored.approved_by:
        by = escape(stored.approved_by)
        console.print(f"  [dim]approved by {by}, {stored.approved_at:%Y-%m-%d %H:%M:%S %Z}[/]")
    if digest := stored.approved_hash or stored.content_hash:
        console.print(f"  [dim]hash {digest}[/]")
    if stored.planned_at:
        readers = f"the segment [bold]{stored.segment}[/]" if stored.segment else "all its readers"
        console.print(f"  [dim]for {readers}[/]")
    for name, line in _worded(issue.wording).items():
        console.print(f"  [dim]{name}[/] {escape(line)}")
    for entry in issue.entries:
        mark = "[bold]★[/]" if entry.lead else " "
        title, topics = escape(entry.brief.title), ", ".join(entry.topics)
        short = f" [dim]“{escape(entry.short_line)}”[/]" if entry.short_line else ""
        console.print(f"  {mark} {title}{short}  [dim]{topics} · brief {entry.brief_id}[/]")
    if totals:
        print_totals(totals)


def print_request(request: ApprovalRequest | None) -> None:
    """Print whose turn it is with a draft, where somebody asked or sent it back."""
    if request:
        said = "asks for approval" if request.is_asked else "sent it back"
        note = f": {request.note}" if request.note else ""
        console.print(f"  [yellow]{escape(request.by)} {said}{escape(note)}[/]")


def print_remarks(remarks: Iterable[str]) -> None:
    """Print what a person should know of an issue besides its stories."""
    for one in remarks:
        console.print(f"  [yellow]{escape(one)}[/]")


def _worded(wording: Wording) -> dict[str, str]:
    """Return what a person wrote for the issue itself."""
    about = f" (about brief {wording.about})" if wording.about is not None else ""
    lines = {
        "subject": wording.subject and f"{wording.subject}{about}",
        "preheader": wording.preheader,
        f"editors’ {wording.note_kind}": wording.note,
    }
    return {name: line for name, line in lines.items() if line}


def _awaited(stored: StoredIssue, totals: IssueTotals | None) -> str | None:
    sending = stored.state is IssueStatus.SENDING
    return totals.awaited if totals and sending else None


def print_totals(totals: IssueTotals) -> None:
    """Print how far an issue's sending has got, and whether its sums add up."""
    sums = totals.sums
    audience = (
        f"= {counted(sums.deliveries, 'delivery', 'deliveries')}"
        f" + {sums.excluded:,} excluded{_reasons(totals.exclusions)}"
    )
    deliveries = (
        f"= {sums.accepted:,} accepted + {sums.refused:,} refused{_reasons(totals.refusals)}"
        f" + {sums.unknown:,} unknown + {sums.skipped:,} skipped{_reasons(totals.skips)}"
        f" + {sums.to_go:,} to go"
    )
    rows = (
        ("  audience", f"{sums.audience:,}", audience),
        ("  deliveries", f"{sums.deliveries:,}", deliveries),
        ("  events", f"{sums.deliveries:,}", f"= {_events(totals.events)}"),
    )
    console.print(grid(rows, right=[1]))
    if sums.doubled:
        console.print(f"  [bold red]{sums.doubled:,} twice: {_doubled(totals.doubled)}[/]")
    text = "[green]the sums add up[/]" if sums.adds_up else "[bold red]THE SUMS DO NOT ADD UP[/]"
    if sums.unknown:
        console.print(
            f"  [yellow]{sums.unknown:,} unknown: whether SendGrid accepted them is not known; "
            "`newsletter batches list` shows the evidence so far[/]"
        )
    console.print(
        f"  {text} · {counted(totals.editions, 'edition')} · "
        f"{counted(sum(totals.batches.values()), 'batch', 'batches')}"
        f"{_reasons(totals.batches)} · {counted(totals.requests, 'request')}"
    )


def _doubled(doubled: dict[int, int]) -> str:
    """Name the batches, with their letters if there are several: "batch 5 (14), batch 6 (3)"."""
    if len(doubled) == 1:
        return f"batch {next(iter(doubled))}"
    return ", ".join(f"batch {batch} ({count:,})" for batch, count in doubled.items())


def _events(events: dict[str, int]) -> str:
    """Group deliveries by whether they arrived, which people ask first."""
    read = {name: events[name] for name in ("opened", "clicked") if name in events}
    arrived = events.get("delivered", 0) + sum(read.values())
    text = [f"{arrived:,} delivered{_reasons(read)}"]
    others = events.keys() - {"delivered", "no_events", *read}
    text += [f"{count:,} {name}" for name, count in events.items() if name in others]
    if waiting := events.get("no_events"):
        text.append(f"{waiting:,} without events so far")
    return " + ".join(text)


def _reasons(counts: dict[str, int]) -> str:
    text = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in counts.items())
    return escape(f" ({text})") if text else ""
