"""Word diff: what two revisions of a brief say, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from newsletter.core.brief import Brief

_WORD = re.compile(r"\s*\S+|\s+\Z")


class WordChange(StrEnum):
    """What became of some words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class DiffPiece:
    """Words that stand together and share their lot, with the spaces before them."""

    change: WordChange
    text: str


def word_diff(before: str, after: str) -> tuple[DiffPiece, ...]:
    """Return pieces of which those not added make `before`, and those not removed `after`."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    pieces: list[DiffPiece] = []
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(DiffPiece(WordChange.SAME, "".join(old[a:a_end])))
            continue
        pieces.append(DiffPiece(WordChange.REMOVED, "".join(old[a:a_end])))
        pieces.append(DiffPiece(WordChange.ADDED, "".join(new[b:b_end])))
    return tuple(piece for piece in pieces if piece.text)


def brief_diff(before: Brief, after: Brief) -> dict[str, tuple[DiffPiece, ...]]:
    """Return the pieces of each field that differs, by the name a page shows."""
    old, new = dict(_fields(before)), dict(_fields(after))
    return {name: word_diff(old[name], new[name]) for name in new if old[name] != new[name]}


def _fields(brief: Brief) -> Iterator[tuple[str, str]]:
    yield "title", brief.title
    yield "summary", brief.summary
    yield "why", brief.why
    yield "body", "\n".join(brief.body)
    yield "source name", brief.source.name
    yield "source link", brief.source.url
    yield "verification", brief.verification.value
    yield "importance", brief.importance.value
    yield "minutes", str(brief.minutes) if brief.minutes else ""
    yield "topics", ", ".join(brief.topics)
    yield "published", brief.published.isoformat() if brief.published else ""
