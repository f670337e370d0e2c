"""Hub page saved as HTML: its visible blocks, with their links."""

import html
import re
from typing import Any, cast

import lxml.etree as _lxml  # pyright: ignore[reportMissingTypeStubs]  # C, no types

from newsletter.adapters.sources.cleaning import plain, visible
from newsletter.adapters.sources.fields import LABELS
from newsletter.adapters.sources.hub_facts import PageBlock
from newsletter.adapters.sources.hub_page import read_page
from newsletter.core.brief import Brief

etree = cast("Any", _lxml)

_UNSEEN_TAGS = """
    aside audio canvas dialog figcaption form head iframe math nav noscript object script select
    style svg template textarea video
"""
_INLINE_TAGS = """
    a abbr b bdi bdo big button cite code del dfn em font i img ins kbd label mark q s samp small
    span strong sub sup time tt u var wbr
"""
_UNSEEN, _INLINE = frozenset(_UNSEEN_TAGS.split()), frozenset(_INLINE_TAGS.split())
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE_NAMES = {"a": "a", "b": "strong", "strong": "strong", "i": "em", "em": "em", "code": "code"}
_SPOKEN = re.compile(rf"(?i)(?:\w+:\s*)?({'|'.join(LABELS)}|view source)")
_NOT_SHOWN = re.compile(r"(?i)(?:display\s*:\s*none|visibility\s*:\s*hidden)")


def read_hub_html(markup: str, place: str) -> tuple[Brief, ...]:
    """Return the brief, or briefs, of a page saved as HTML, whichever theme it was set in."""
    return read_page(tuple(_blocks(markup)), place)


def _blocks(markup: str) -> list[PageBlock]:
    parser = etree.HTMLParser(encoding="utf-8")
    root = etree.fromstring(markup.encode(), parser)
    page = _PageBlocks()
    if root is None:
        return page.blocks
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event == "start" and _is_unseen(element):
            page.add_text(_spoken(element) if element.get("aria-hidden") != "true" else "")
            walk.skip_subtree()
        elif event == "start":
            page.open(element)
            if _spoken(element):
                walk.skip_subtree()
        elif event == "end" and not _is_unseen(element):
            page.close(element)
        if event != "start":
            page.add_text(element.tail or "")
    page.end_block()
    return page.blocks


def _is_unseen(element: Any) -> bool:
    if element.tag in ("html", "body"):  # scripts hide these until the page has loaded
        return False
    shown = element.get("hidden") is None and element.get("aria-hidden") != "true"
    return element.tag in _UNSEEN or not shown or bool(_NOT_SHOWN.search(element.get("style", "")))


def _spoken(element: Any) -> str:
    """Return the label that an element without words has for those who hear the page."""
    if not isinstance(element.tag, str) or plain("".join(element.itertext())).strip("✓✔☑•·"):
        return ""
    names = (element.get(name, "") for name in ("aria-label", "alt", "title"))
    found = next(filter(None, (_SPOKEN.fullmatch(plain(name)) for name in names)), None)
    return f" {found[1]} " if found else ""


def _is_inline(element: Any) -> bool:
    """Return whether the element continues its line; "View Source" is always a block."""
    if element.tag in ("a", "button"):
        words = _spoken(element) or plain("".join(element.itertext()))
        return words.strip().casefold() != "view source"
    return element.tag in _INLINE


class _PageBlocks:
    """Collects a page's blocks while its elements are walked."""

    def __init__(self) -> None:
        self.blocks: list[PageBlock] = []
        self._texts: list[str] = []
        self._markup: list[str] = []
        self._open: list[tuple[str, str]] = []  # inline elements: name, start tag
        self._heading: list[int] = []  # levels of the open ones
        self._line = 0
        self._gap = True
        self._href = ""

    def open(self, element: Any) -> None:
        if not _is_inline(element):
            self._break(element.tag)
        if element.tag in _HEADINGS:
            self._heading.append(int(element.tag[1]))
        if element.tag == "a":
            self._href = self._href or element.get("href", "")
        if name := _INLINE_NAMES.get(element.tag):
            href = f' href="{html.escape(element.get("href", ""))}"' if name == "a" else ""
            self._open.append((name, f"<{name}{href}>"))
            self._markup.append(self._open[-1][1])
        self._texts.append("")  # an element's edge, where `loose` has a space
        self._line = self._line or element.sourceline or 0
        self.add_text(_spoken(element) or element.text or "")

    def close(self, element: Any) -> None:
        if element.tag in _INLINE_NAMES:
            name, _ = self._open.pop()
            self._markup.append(f"</{name}>")
        self._texts.append("")
        if not _is_inline(element):
            self._break(element.tag)
        if element.tag in _HEADINGS:
            self._heading.pop()

    def add_text(self, text: str) -> None:
        self._texts.append(text)
        self._markup.append(html.escape(text, quote=False))

    def _break(self, tag: str) -> None:
        if tag == "br" and self._heading:
            self.add_text(" ")
        else:
            self.end_block(gap=tag != "br")

    def end_block(self, *, gap: bool = True) -> None:
        """Close the current block, if it has any text, and begin the next."""
        text = plain("".join(self._texts))
        if text:
            self.blocks.append(self._block(text))
            self._gap = False
        self._gap = self._gap or gap
        self._texts.clear()
        self._markup = [start for _, start in self._open]
        self._href, self._line = "", 0

    def _block(self, text: str) -> PageBlock:
        return PageBlock(
            text=text,
            loose=plain(" ".join(self._texts)),
            markup="".join(self._markup) + "".join(f"</{name}>" for name, _ in self._open[::-1]),
            gap=self._gap,
            heading=self._heading[-1] if self._heading else 0,
            line=self._line,
            href=visible(self._href),
        )
