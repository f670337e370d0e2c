"""What differs from what was approved, printed and as data."""

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from newsletter.cli.common import console, minute
from newsletter.core.difference import Difference, DifferenceKind

if TYPE_CHECKING:
    from newsletter.services.comparing import SinceApproval

#: As `git diff --word-diff` marks words, so that it is read without color, too.
_MARKS = {
    DifferenceKind.ADDED: "[green]{{+{}+}}[/]",
    DifferenceKind.REMOVED: "[red]\\[-{}-][/]",
    DifferenceKind.SAME: "{}",
}


def approval_data(found: "SinceApproval") -> dict[str, Any]:
    """Return who approved what, and when; without its text."""
    one = found.approved
    return {"by": one.by, "at": one.at, "content_hash": one.content_hash}


def print_changes(found: "SinceApproval | None") -> None:
    """Print what differs since the last approval."""
    if found is None:
        console.print("It was never approved.")
        return
    one = found.approved
    console.print(f"approved by {escape(one.by)}, {minute(one.at)} [dim]hash {one.content_hash}[/]")
    if not found.changes:
        console.print("  What would be sent is what was approved.")
    for sentence in found.changes.sentences:
        console.print(f"  {escape(sentence)}")
    for field in found.changes.fields:
        whose = f"“{escape(field.story)}” " if field.story else ""
        console.print(f"  [dim]{whose}{field.name}[/] {_marked(field.pieces)}")


def _marked(pieces: tuple[Difference, ...]) -> str:
    return "".join(_MARKS[piece.kind].format(escape(piece.text.strip("\n"))) for piece in pieces)
