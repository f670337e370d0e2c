"""Contrast of a letter's text with its background, in the light and in the dark.

The cascade is followed as far as letters use it: rules of style tags in their order, the colors
written into tags above them, `!important` above both. A pair of colors is reported once for
each light.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

import cssselect
import lxml.cssselect
import lxml.html

from newsletter.core.color import Rgb, contrast, hexadecimal, read_color
from newsletter.core.color_scheme import ColorScheme, in_scheme
from newsletter.core.preflight import LowContrast

LEAST = 4.5  #: WCAG 2.2, contrast (minimum)
_SCHEMES = {
    ColorScheme.LIGHT: "light",
    ColorScheme.DARK: "the dark as designed",
    ColorScheme.OUTLOOK: "the dark as Outlook repaints it",
}
_CANVAS = {ColorScheme.OUTLOOK: ((255, 255, 255), (51, 51, 51))}  # text, background by default
_DEFAULT = ((0, 0, 0), (255, 255, 255))
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_MEDIA = re.compile(r"@media([^{]*)\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_HIDDEN = re.compile(r"display\s*:\s*none|font-size\s*:\s*[01](?:px)?\s*(?:;|$)")
_SAMPLE = 60
_NEVER_READ = {"head", "style", "script", "title"}

_parse = cast("Any", lxml.html).document_fromstring
_select: Any = lxml.cssselect.CSSSelector

#: What a tag is painted with: text and background, each with its weight.
Paint = dict[str, tuple[int, Rgb]]


@lru_cache(maxsize=16)
def low_contrasts(html: str) -> tuple[LowContrast, ...]:
    """Return each pair of colors that is hard to read, with a sample of its text."""
    return tuple(found for scheme in _SCHEMES for found in _low(html, scheme))


def _low(html: str, scheme: ColorScheme) -> Iterator[LowContrast]:
    page = in_scheme(html, scheme)
    tree = _parse(page)
    paints = _paints(tree, page)
    reported: set[tuple[Rgb, Rgb]] = set()
    for text, color, background in _texts(tree, paints, *_CANVAS.get(scheme, _DEFAULT)):
        ratio = contrast(color, background)
        if ratio < LEAST and (color, background) not in reported:
            reported.add((color, background))
            yield LowContrast(
                scheme=_SCHEMES[scheme],
                text_color=hexadecimal(color),
                background=hexadecimal(background),
                ratio=ratio,
                sample=text[:_SAMPLE],
            )


def _paints(tree: Any, page: str) -> dict[Any, Paint]:
    paints: dict[Any, Paint] = {}
    for tag in tree.iter():
        if isinstance(tag.tag, str):
            _apply(paints.setdefault(tag, {}), f"background-color:{tag.get('bgcolor', '')}", 0)
            _apply(paints[tag], tag.get("style", ""), 2)
    for selectors, css in _rules("".join(_STYLE.findall(page))):
        for selector in selectors.split(","):
            for tag in _selected(tree, selector.strip()):
                _apply(paints.setdefault(tag, {}), css, 1)
    return paints


def _selected(tree: Any, selector: str) -> list[Any]:
    try:
        return list(_select(selector)(tree))
    except cssselect.SelectorError:
        return []  # such as a pseudo-class of one mail program


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Yield the rules that hold, on a screen of any width."""
    css = _COMMENT.sub("", css)
    held = _MEDIA.sub(lambda media: media[2] if media[1].strip() in ("all", "screen") else "", css)
    for rule in _RULE.finditer(held):
        yield rule[1].strip(), rule[2]


def _apply(paint: Paint, css: str, weight: int) -> None:
    for declaration in css.split(";"):
        name, _, value = declaration.partition(":")
        key = {"color": "color", "background": "back", "background-color": "back"}.get(name.strip())
        important = "!important" in value
        color = read_color(value.replace("!important", "").strip())
        rank = weight + 3 * important
        if key and color and rank >= paint.get(key, (0, color))[0]:
            paint[key] = (rank, color)


def _texts(
    tag: Any, paints: dict[Any, Paint], color: Rgb, background: Rgb
) -> Iterator[tuple[str, Rgb, Rgb]]:
    """Yield each text within a tag that can be seen, with its color and background."""
    if not isinstance(tag.tag, str) or tag.tag in _NEVER_READ:
        return
    if _HIDDEN.search(tag.get("style", "")):
        return
    paint = paints.get(tag, {})
    color = paint.get("color", (0, color))[1]
    background = paint.get("back", (0, background))[1]
    for text in (tag.text, *(child.tail for child in tag)):
        if text and text.strip(" \t\r\n\xa0"):
            yield " ".join(text.split()), color, background
    for child in tag:
        yield from _texts(child, paints, color, background)
