"""Galley: a whole issue set in type once, from which every edition is cut.

The renderer brackets each removable piece with marks. A piece inside another one keeps the outer
one alive: a topic's heading stays while one of its briefs does.
See docs/decisions/type-is-set-once.md.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from newsletter.errors import RenderingFailed

OPEN_MARK = "<!--[[{}-->"
CLOSE_MARK = "<!--]]-->"
#: A mark; its group is the piece that it opens, and empty where it closes one.
PIECE_MARK = re.compile(r"<!--\[\[([a-z]+(?::[A-Za-z0-9_-]+)?)-->|<!--\]\]-->")
_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_UNPRINTABLE = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class Span:
    """A stretch of type, and the pieces of which one must be chosen for it to be printed."""

    text: str
    pieces: frozenset[str] | None = None  #: None: always printed


@dataclass(frozen=True)
class Galley:
    """An issue's type, both parts of the letter."""

    html: tuple[Span, ...]
    text: tuple[Span, ...]


def piece_of(brief_id: int) -> str:
    return f"brief:{brief_id}"


def topic_piece(slug: str) -> str:
    return f"topic:{slug}"


def picture_piece(brief_id: int) -> str:
    return f"picture:{brief_id}"


def correction_piece(brief_id: int) -> str:
    return f"correction:{brief_id}"


def correction_tag(brief_id: int) -> str:
    """Return what a correction of a story replaces, where there is one."""
    return f"-nl_correction_{brief_id}-"


def page_piece(brief_id: int) -> str:
    return f"page:{brief_id}"


def page_tag(brief_id: int) -> str:
    """Return what the address of a story's own page replaces."""
    return f"-nl_page_{brief_id}_url-"


#: The piece of the stories at the top.
LEADS = "leads:all"

#: The piece printed in a letter, and left out of the public view of an edition.
PERSONAL = "personal"


def cut(segments: Iterable[Span], chosen: AbstractSet[str], values: Mapping[str, str]) -> str:
    """Return the text of the chosen pieces, with each tag of `values` replaced."""
    kept = (s.text for s in segments if s.pieces is None or not s.pieces.isdisjoint(chosen))
    text = "".join(kept)
    if not values:
        return text
    # One pass: a value is never searched for the next tag.
    return _tags(tuple(values)).sub(lambda tag: values[tag[0]], text)


@lru_cache(maxsize=4096)  # editions of many topics have the same few sets of tags
def _tags(tags: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, tags)))


def sizer(segments: Iterable[Span]) -> Callable[[AbstractSet[str]], int]:
    """Return what counts the bytes of the chosen pieces, quickly for thousands of choices."""
    always, alone, shared = 0, dict[str, int](), Counter[frozenset[str]]()
    for one in segments:
        length = len(one.text.encode())
        if one.pieces is None:
            always += length
        elif len(one.pieces) == 1:
            (piece,) = one.pieces
            alone[piece] = alone.get(piece, 0) + length
        else:
            shared[one.pieces] += length

    def size(chosen: AbstractSet[str]) -> int:
        own = sum(alone.get(piece, 0) for piece in chosen)
        return always + own + sum(n for some, n in shared.items() if not some.isdisjoint(chosen))

    return size


@lru_cache(maxsize=1024)  # thousands of editions print the same few titles
def plain_line(text: str) -> str:
    """Return strangers' text as one line that can be set: nothing in it can pass for type.

    White space and control characters become single spaces. Direction overrides go, since they
    would turn what follows; so do the two code points that XML forbids, and stray surrogates.
    Marks and tags of ours are broken by a space.
    """
    line = " ".join(_UNPRINTABLE.sub("", _GAPS.sub(" ", text)).split())
    return line.replace("<!--", "<! --").replace("-nl_", "- nl_")


def read_marked(marked: str) -> tuple[Span, ...]:
    """Return the segments of a text whose pieces are marked; marks must nest and close.

    A piece that holds other pieces is printed as long as one of those is chosen.
    """
    frames = [_Frame("")]
    at = 0
    for mark in PIECE_MARK.finditer(marked):
        frames[-1].items.append(marked[at : mark.start()])
        at = mark.end()
        if mark[1]:
            frames.append(_Frame(mark[1]))
        elif len(frames) == 1:
            raise RenderingFailed(f"a piece closes at character {mark.start()} but none is open")
        else:
            piece = frames.pop()
            frames[-1].items.extend(piece.segments())
    if len(frames) > 1:
        raise RenderingFailed(f"the piece {frames[-1].name!r} is never closed")
    frames[0].items.append(marked[at:])
    return tuple(frames[0].segments())


class _Frame:
    """A piece being read: its own text, and the segments of the pieces within it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[str | Span] = []

    def segments(self) -> list[Span]:
        inner = [item.pieces for item in self.items if isinstance(item, Span) and item.pieces]
        needs = frozenset[str]().union(*inner) if inner else frozenset({self.name})
        own = needs if self.name else None
        segments = (Span(i, own) if isinstance(i, str) else i for i in self.items)
        return [segment for segment in segments if segment.text]
