"""What a reader sees of a letter's part: its texts and links, and the pieces they stand in.

Both parts are read with their pieces still marked, so that one reading says what every edition
prints. Comments, style sheets, and elements that are not shown count for nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import cssselect
import lxml.cssselect
import lxml.html

from newsletter.core.galley import PIECE_MARK
from newsletter.rendering.css import declarations, rules

_BLOCKS = {"blockquote", "br", "div", "hr", "li", "ol", "p", "table", "td", "th", "tr", "ul"}
_HEADINGS = {f"h{level}" for level in range(1, 7)}
_NEVER_SHOWN = frozenset(("head", "style", "script", "title", "template"))
_LINK_LINE = re.compile(r"https?://\S+|-nl_\w+_url-")
_NOTHING = re.compile(r"0(?:\.0+)?(?:px|em|rem|pt|%)?|1px")
_INVISIBLE = {"display": "none", "visibility": "hidden", "mso-hide": "all"}

_parse = cast("Any", lxml.html).document_fromstring
_select: Any = lxml.cssselect.CSSSelector


@dataclass(frozen=True)
class ShownText:
    """A stretch of text that readers see."""

    text: str
    pieces: tuple[str, ...]  #: those it stands in, the outermost first
    block: int  #: equal for the text of one paragraph


@dataclass(frozen=True)
class ShownLink:
    """A link that readers see."""

    url: str
    text: str  #: what it says, or what its pictures are said to show
    pieces: tuple[str, ...]


@dataclass
class ShownPart:
    """All that readers see of a part, in order."""

    texts: list[ShownText] = field(default_factory=list[ShownText])
    links: list[ShownLink] = field(default_factory=list[ShownLink])


def in_one_line(texts: list[ShownText]) -> str:
    """Return the texts as one line, its words parted by single spaces."""
    said, block = "", None
    for one in texts:
        said += one.text if one.block == block else f" {one.text}"
        block = one.block
    return " ".join(said.split())


def shown_of_html(marked: str) -> ShownPart:
    """Return what readers see of the HTML part, whatever the width of their screen."""
    tree = _parse(marked)
    walk = _Walk(_hidden_by_rules(tree))
    walk.visit(tree, font_size="")
    return walk.part


def shown_of_text(marked: str) -> ShownPart:
    """Return what readers see of the text part; a link there has a line of its own."""
    part, pieces, block = ShownPart(), list[str](), 0
    for stretch, opened in _by_marks(marked):
        for line in stretch.splitlines(keepends=True):
            block += not line.strip()
            part.texts.append(ShownText(line, tuple(pieces), block))
            if _LINK_LINE.fullmatch(line.strip()):
                part.links.append(ShownLink(line.strip(), line.strip(), tuple(pieces)))
        _open_or_close(pieces, opened)
    return part


def _by_marks(marked: str) -> Iterator[tuple[str, str | None]]:
    """Yield each stretch and the piece opened behind it; "" closes one, None is the end."""
    at = 0
    for mark in PIECE_MARK.finditer(marked):
        yield marked[at : mark.start()], mark[1] or ""
        at = mark.end()
    yield marked[at:], None


def _open_or_close(pieces: list[str], opened: str | None) -> None:
    if opened:
        pieces.append(opened)
    elif opened == "" and pieces:
        pieces.pop()


def _hidden_by_rules(tree: Any) -> set[Any]:
    """Return the elements that a rule of a style tag hides, on some screen."""
    hidden: set[Any] = set()
    for style in tree.iter("style"):
        for selectors, block in rules(style.text or ""):
            if _hides(dict(block)):
                for selector in selectors.split(","):
                    hidden.update(_selected(tree, selector.strip()))
    return hidden


def _selected(tree: Any, selector: str) -> list[Any]:
    try:
        return list(_select(selector)(tree))
    except cssselect.SelectorError:
        return []


def _hides(block: dict[str, str]) -> bool:
    """Return whether these declarations take an element out of sight."""
    if any(block.get(name) == value for name, value in _INVISIBLE.items()):
        return True
    sizes = (block.get(name, "") for name in ("opacity", "max-height", "max-width", "height"))
    return any(_NOTHING.fullmatch(size) and size != "1px" for size in sizes)


class _Walk:
    """Walks over a tree in its order, with the pieces that are open."""

    def __init__(self, hidden: set[Any]) -> None:
        self.part = ShownPart()
        self._hidden = hidden
        self._pieces: list[str] = []
        self._block = 0

    def visit(self, tag: Any, *, font_size: str, shown: bool = True) -> None:
        """Read an element and what is in it."""
        if not isinstance(tag.tag, str):
            self._mark(tag)
            return
        style = dict(declarations(tag.get("style", "")))
        font_size = style.get("font-size", font_size)
        shown = shown and self._is_shown(tag, style)
        first = len(self.part.texts)
        parts_text = tag.tag in _BLOCKS or tag.tag in _HEADINGS
        self._block += parts_text
        self._content(tag, font_size, shown=shown)
        self._block += parts_text
        if tag.tag == "a" and shown:
            said = in_one_line(self.part.texts[first:])
            link = ShownLink(tag.get("href", ""), said, tuple(self._pieces))
            self.part.links.append(link)

    def _content(self, tag: Any, font_size: str, *, shown: bool) -> None:
        self._text(tag.get("alt") if tag.tag == "img" else tag.text, font_size, shown=shown)
        for child in tag:
            self.visit(child, font_size=font_size, shown=shown)
            self._text(child.tail, font_size, shown=shown)

    def _text(self, text: str | None, font_size: str, *, shown: bool) -> None:
        if text and shown and not _NOTHING.fullmatch(font_size):
            self.part.texts.append(ShownText(text, tuple(self._pieces), self._block))

    def _is_shown(self, tag: Any, style: dict[str, str]) -> bool:
        never = tag.tag in _NEVER_SHOWN or "hidden" in tag.attrib or tag in self._hidden
        return not never and not _hides(style)

    def _mark(self, tag: Any) -> None:
        if mark := PIECE_MARK.fullmatch(f"<!--{tag.text or ''}-->"):
            _open_or_close(self._pieces, mark[1] or "")
