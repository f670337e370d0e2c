"""Checks on filled-in MJML; each complaint names template, line and brief.

See docs/decisions/own-mjml-lint.md.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from newsletter.errors import RenderingFailed
from newsletter.rendering.attribute_values import wrong_value
from newsletter.rendering.css import css_faults, style_faults
from newsletter.rendering.source_map import PLACE_ATTRIBUTE, SOMEWHERE, place_before, unclosed
from newsletter.rendering.vocabulary import CHILDREN, FORBIDDEN, HOLDS_HTML, HOLDS_TEXT, HTML, MJML

#: One to four lengths. mrml ignores the whole shorthand when one of them is a bare number.
_LENGTHS = re.compile(r"(?:\d+(?:\.\d+)?(?:px|%)(?:\s+|$)){1,4}")
_SAFE_LINK = re.compile(r"https?://|mailto:|-nl_[a-z0-9_]+_url-(?:#[\w-]+)?$", re.IGNORECASE)
_FETCHES = re.compile(r"@import|url\(", re.IGNORECASE)
_BRIEF_MARK = re.compile(r"\[\[brief:(\d+)$")


def lint(filled: str) -> None:
    """Raise RenderingFailed unless the MJML is well formed and uses known tags in their places.

    The error has a line for each complaint.
    """
    walk = _TagWalk()
    walk.visit(_parse(filled), None, SOMEWHERE)
    if walk.complaints:
        raise RenderingFailed("\n".join(walk.complaints))


def _parse(filled: str) -> ET.Element:
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))  # noqa: S314  # our own text
    try:
        return ET.fromstring(filled, parser)  # noqa: S314  # as above
    except ET.ParseError as error:
        for tag, place in unclosed(filled):
            raise RenderingFailed(f"{place}: <{tag}> is not closed") from error
        place = place_before(filled, *error.position)
        raise RenderingFailed(f"at or after {place}: {error.msg.split(':')[0]}") from error


class _TagWalk:
    """Walks over all tags in their order and collects complaints, with the brief of each."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._pieces: list[str] = []  #: " (brief 3)" for each open piece, "" for other pieces

    def visit(self, tag: ET.Element, parent: str | None, place: str) -> None:
        if tag.tag is ET.Comment:
            self._mark(tag.text or "")
            return
        place = tag.attrib.pop(PLACE_ATTRIBUTE, place)
        name = tag.tag
        found = (*_misplaced(name, parent), *_misused(tag, parent), *_unreadable(tag))
        for reason in found:
            brief = next((brief for brief in reversed(self._pieces) if brief), "")
            self.complaints.append(f"{place}{brief}: {reason}")
        for child in tag:
            self.visit(child, name, place)

    def _mark(self, comment: str) -> None:
        if comment.startswith("[["):
            brief = _BRIEF_MARK.match(comment)
            self._pieces.append(f" (brief {brief[1]})" if brief else "")
        elif comment == "]]" and self._pieces:
            self._pieces.pop()


def _misplaced(name: str, parent: str | None) -> Iterator[str]:
    if name in FORBIDDEN:
        yield f"<{name}> is not used in letters: {FORBIDDEN[name]}"
    elif name not in MJML and name not in HTML:
        yield f"unknown tag <{name}>"
    elif parent is None:
        if name != "mjml":
            yield f"a letter begins with <mjml>, not with <{name}>"
    elif name in MJML:
        if parent in MJML and name not in CHILDREN.get(parent, ()):
            yield f"<{name}> does not belong in <{parent}>"
        elif parent in HTML:
            yield f"<{name}> does not belong in HTML"
    elif parent not in HTML and parent in MJML and parent not in HOLDS_HTML:
        yield f"<{name}> does not belong in <{parent}>"


def _misused(tag: ET.Element, parent: str | None) -> Iterator[str]:
    name = tag.tag
    for attribute, value in tag.attrib.items():
        yield from _wrong_attribute(name, attribute, value)
    if name in ("img", "mj-image") and parent != "mj-attributes" and "alt" not in tag.attrib:
        yield f"<{name}> has no alt"
    text = (tag.text or "") + "".join(child.tail or "" for child in tag)
    if name in MJML and name not in HOLDS_TEXT and text.strip():
        yield f"text does not belong in <{name}>: {text.strip()[:40]!r}"
    if parent == "mj-wrapper" and any((child.text or "").startswith("[[") for child in tag):
        yield "a piece cannot stand in <mj-wrapper>: its mark would land in a comment for Outlook"
    if name == "mj-title" and '"' in text:
        yield "mj-title has a \", which breaks the letter's aria-label"
    if name == "mj-style" and _FETCHES.search(text):
        yield "mj-style would fetch something"


def _unreadable(tag: ET.Element) -> Iterator[str]:
    """Yield what is wrong with CSS in a tag; its lines are counted from the tag's own."""
    if tag.tag == "mj-style":
        for line, reason in css_faults(tag.text or ""):
            yield f"mj-style, its line {line}: {reason}"
    elif style := tag.attrib.get("style"):
        yield from (f"style={style!r}: {reason}" for reason in style_faults(style))


def _wrong_attribute(tag: str, attribute: str, value: str) -> Iterator[str]:
    known = MJML.get(tag, HTML.get(tag))
    if known is not None and attribute not in known and not attribute.startswith("aria-"):
        yield f"<{tag}> has no attribute {attribute!r}"
    if (attribute.endswith("padding") and attribute != "cellpadding") or attribute.startswith(
        "padding-"
    ):
        if not _LENGTHS.fullmatch(value.strip()):
            yield f"{attribute}={value!r} needs a unit on every number: 0px, not 0"
    elif attribute in ("href", "src") and not _SAFE_LINK.match(value):
        yield f"{attribute}={value!r} is not a web link"
    elif tag in MJML and (needed := wrong_value(tag, attribute, value)):
        yield f"{attribute}={value!r} needs {needed}"
