"""Difference: what changed between two texts, or two revisions of a brief, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from newsletter.core.brief import Brief

_WORDS = re.compile(r"\S+\s*|\s+")  #: with the blanks after it, which alone would match anywhere


class DifferenceKind(StrEnum):
    """What became of a stretch of text."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Difference:
    """A stretch of text that stayed, was added or was removed."""

    kind: DifferenceKind
    text: str


def differences(before: str, after: str) -> tuple[Difference, ...]:
    """Return the stretches of both texts in order; without the removed ones they are `after`.

    Lines are compared first, then the words of those that changed: so a moved paragraph is not
    stitched together from the words of others.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return tuple(_joined(_by_lines(old, new)))


def brief_differences(before: Brief, after: Brief) -> dict[str, tuple[Difference, ...]]:
    """Return the differences of each field that changed, by the name a page shows."""
    old, new = dict(_fields(before)), dict(_fields(after))
    return {name: differences(old[name], new[name]) for name in new if old[name] != new[name]}


def _fields(brief: Brief) -> Iterator[tuple[str, str]]:
    yield "title", brief.title
    yield "summary", brief.summary
    yield "why", brief.why
    yield "one sentence", brief.line
    yield "short line", brief.short
    yield "not confirmed", brief.unconfirmed
    yield "body", "\n".join(brief.body)
    yield "source name", brief.source.name
    yield "source link", brief.source.url
    yield "picture", brief.picture.url
    yield "picture says", brief.picture.alt
    yield "picture width", str(brief.picture.width) if brief.picture.width else ""
    yield "verification", brief.verification.value
    yield "importance", brief.importance.value
    yield "minutes", str(brief.minutes) if brief.minutes else ""
    yield "topics", ", ".join(brief.topics)
    yield "published", brief.published.isoformat() if brief.published else ""


def _by_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    for _, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[i:j]), "".join(new[k:m])
        if gone == come:
            yield Difference(DifferenceKind.SAME, gone)
        else:
            yield from _by_words(_WORDS.findall(gone), _WORDS.findall(come))


def _by_words(old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Difference(DifferenceKind.SAME, "".join(new[k:m]))
            continue
        yield Difference(DifferenceKind.REMOVED, "".join(old[i:j]))
        yield Difference(DifferenceKind.ADDED, "".join(new[k:m]))


def _joined(pieces: Iterator[Difference]) -> Iterator[Difference]:
    """Yield the pieces that say something, neighbours of one kind as one."""
    last: Difference | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if last and last.kind is piece.kind:
            last = Difference(last.kind, last.text + piece.text)
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last
