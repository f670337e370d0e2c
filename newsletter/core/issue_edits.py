"""Edits of an issue: what a person decided about its order and choice, kept apart from its briefs.

An assembly chooses again, and applies them again; so they outlive it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from newsletter.core.wording import NO_WORDING, Wording


@dataclass(frozen=True, kw_only=True)
class IssueEdits:
    """What a person changed in an issue, as ids of briefs; the default changes nothing."""

    order: tuple[int, ...] = ()  #: briefs that are not in it are placed by importance
    pinned: int | None = None  #: leads the issue, whatever its importance
    left_out: tuple[int, ...] = ()  #: of this issue only
    short_lines: dict[int, str] = field(default_factory=dict[int, str])
    wording: Wording = NO_WORDING


def placed(assembled: Sequence[int], edits: IssueEdits) -> tuple[int, ...]:
    """Return the assembled briefs in the order a person gave them, the pinned one first.

    One that came later stands behind the one it was assembled behind.
    """
    there = set(assembled)
    result = [one for one in dict.fromkeys(edits.order) if one in there]
    for place, one in enumerate(assembled):
        if one not in edits.order:
            result.insert(result.index(assembled[place - 1]) + 1 if place else 0, one)
    return tuple(sorted(result, key=lambda one: one != edits.pinned))


def moved(order: Sequence[int], brief_id: int, before: int | None) -> tuple[int, ...]:
    """Return the order with a brief moved before another one, or to the end."""
    rest = [one for one in order if one != brief_id]
    at = len(rest) if before is None else rest.index(before)
    return (*rest[:at], brief_id, *rest[at:])


def without(edits: IssueEdits, brief_id: int) -> IssueEdits:
    """Return the edits with a brief left out of the issue; if it was pinned, nothing is."""
    pinned = None if edits.pinned == brief_id else edits.pinned
    return replace(edits, left_out=(*edits.left_out, brief_id), pinned=pinned)


def with_again(edits: IssueEdits, brief_id: int) -> IssueEdits:
    """Return the edits without leaving this brief out."""
    return replace(edits, left_out=tuple(one for one in edits.left_out if one != brief_id))


def with_short_line(edits: IssueEdits, brief_id: int, line: str) -> IssueEdits:
    """Return the edits with a brief's short line, or without it if the line is empty."""
    lines = {one: said for one, said in edits.short_lines.items() if one != brief_id}
    return replace(edits, short_lines=lines | {brief_id: line} if line else lines)
