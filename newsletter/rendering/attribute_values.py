"""The values that MJML's attributes take, by their types.

mjml-python accepts any value: `font-size="big"` would reach readers as it is. The types follow the
component pages at documentation.mjml.io (MJML 4).
"""

import re

from newsletter.core.color import read_color

_NUMBER = r"\d+(?:\.\d+)?"
#: What an attribute takes, in words, and the pattern of it.
ValueType = tuple[str, re.Pattern[str]]


def _lengths(units: str, said: str, *, sign: str = "") -> ValueType:
    return f"a length such as {said}", re.compile(rf"{sign}{_NUMBER}(?:{units})")


def _one_of(words: str) -> ValueType:
    choices = words.split()
    return f"one of {', '.join(choices)}", re.compile("|".join(map(re.escape, choices)))


_PIXELS = _lengths("px", "16px")
_LENGTH = _lengths("px|%", "16px or 50%")
_SPACING = _lengths("px|em", "1px or 0.1em", sign="-?")
_INTEGER = ("a whole number", re.compile(r"\d+"))
_SIDES = _one_of("left center right")
_BORDER = (
    "none, or width, style and color such as 1px solid #e0dcd3",
    re.compile(rf"none|0|{_NUMBER}px (?:solid|dashed|dotted|double) (?P<color>\S.*)"),
)

#: Attribute → its type, where it is the same for every tag that has it.
_TYPES: dict[str, ValueType] = {
    "align": _one_of("left center right justify"),
    "background-repeat": _one_of("repeat no-repeat"),
    "border": _BORDER,
    "border-bottom": _BORDER,
    "border-left": _BORDER,
    "border-right": _BORDER,
    "border-style": _one_of("solid dashed dotted double"),
    "border-top": _BORDER,
    "border-width": _PIXELS,
    "cellpadding": _INTEGER,
    "cellspacing": _INTEGER,
    "dir": _one_of("ltr rtl auto"),
    "direction": _one_of("ltr rtl"),
    "fluid-on-mobile": _one_of("true"),
    "font-size": _PIXELS,
    "font-style": _one_of("normal italic oblique"),
    "font-weight": _one_of("normal bold 100 200 300 400 500 600 700 800 900"),
    "full-width": _one_of("full-width"),
    "height": _LENGTH,
    "icon-height": _LENGTH,
    "icon-size": _LENGTH,
    "letter-spacing": _SPACING,
    "line-height": ("a number or a length such as 1.5", re.compile(rf"{_NUMBER}(?:px|%)?")),
    "mode": _one_of("horizontal vertical"),
    "table-layout": _one_of("auto fixed"),
    "target": _one_of("_blank _self"),
    "text-align": _one_of("left center right justify"),
    "text-transform": _one_of("none uppercase lowercase capitalize"),
    "vertical-align": _one_of("top middle bottom"),
    "width": _LENGTH,
}
#: (tag, attribute) → its type, where this tag takes other values.
_OF_TAG: dict[tuple[str, str], ValueType] = {
    ("mj-body", "width"): _PIXELS,
    ("mj-breakpoint", "width"): _PIXELS,
    ("mj-button", "align"): _SIDES,
    ("mj-divider", "align"): _SIDES,
    ("mj-image", "align"): _SIDES,
    ("mj-image", "height"): ("auto or a length such as 16px", re.compile(rf"auto|{_NUMBER}px")),
    ("mj-image", "width"): _PIXELS,
    ("mj-social", "align"): _SIDES,
    ("mj-table", "align"): _SIDES,
}
_RADII = re.compile(rf"{_NUMBER}(?:px|%)(?: {_NUMBER}(?:px|%)){{0,3}}|0")


def wrong_value(tag: str, attribute: str, value: str) -> str | None:
    """Return what this attribute of an MJML tag needs instead of this value; None: it is right."""
    if attribute == "color" or attribute.endswith("-color"):
        return None if _is_color(value) else "a color such as #1b1e23"
    if attribute == "border-radius":
        return None if _RADII.fullmatch(value) else "lengths such as 6px"
    known = _OF_TAG.get((tag, attribute)) or _TYPES.get(attribute)
    if known is None:
        return None
    said, pattern = known
    match = pattern.fullmatch(value)
    if match is None or not _is_color(match.groupdict().get("color") or "black"):
        return said
    return None


def _is_color(value: str) -> bool:
    return value in ("transparent", "inherit") or read_color(value) is not None
