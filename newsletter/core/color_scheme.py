"""Color scheme: a letter's page as mail programs show it in the light and in the dark.

Each is a simulation: every program does as it likes. Only colors change; the words, the layout and
all other bytes stay.
"""

import re
from enum import StrEnum

from newsletter.core.color import COLOR, hexadecimal, read_color, repainted


class ColorScheme(StrEnum):
    """In which light a letter is looked at."""

    LIGHT = "light"  #: whatever the looker's own machine prefers
    DARK = "dark"  #: as designed: Apple Mail and Outlook for Mac obey the letter's own rules
    OUTLOOK = "outlook"  #: Outlook.com, the new Outlook, and Outlook on phones repaint it
    GMAIL_IPHONE = "gmail-iphone"  #: roughly: Gmail there repaints it without exception


_PREFERS = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_ALONE = re.compile(
    r"@media\s*\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)(?=\s*\{)", re.IGNORECASE
)
_BOTH = re.compile(r"(color-schemes?:\s*|content=\")light dark\b", re.IGNORECASE)

_STYLE_TAG = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.IGNORECASE | re.DOTALL)
_STYLE = re.compile(r'(\sstyle=")([^"]*)(")', re.IGNORECASE)
_ATTRIBUTE = re.compile(r'(\s(?:bgcolor|color)=")([^"]*)(")', re.IGNORECASE)
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_DECLARATION = re.compile(
    r"((?:^|[;\s])(?:[a-z-]*color|background|border(?:-[a-z]+)?|outline)\s*:)([^;]*)", re.IGNORECASE
)
_URL = re.compile(r"url\([^)]*\)", re.IGNORECASE)
_OUTLOOK_RULE = "[data-ogs"  #: selectors by which a letter answers Outlook's repaint


def in_scheme(html: str, scheme: ColorScheme) -> str:
    """Return the page as it looks in a color scheme."""
    match scheme:
        case ColorScheme.LIGHT | ColorScheme.DARK:
            return _preferring(html, scheme.value)
        case ColorScheme.OUTLOOK:
            marked = re.sub(r"<html\b", '<html data-ogsc="" data-ogsb=""', html, count=1)
            return _repainted(_preferring(marked, "light"))
        case ColorScheme.GMAIL_IPHONE:
            return _repainted(_preferring(html, "light"))


def _preferring(html: str, scheme: str) -> str:
    """Return the page with its media queries decided, so that no machine's setting matters."""

    def decided(style: re.Match[str]) -> str:
        css = _ALONE.sub(lambda m: "@media " + ("all" if _is(m, scheme) else "not all"), style[2])
        # Beside other conditions: one that always holds, or never.
        css = _PREFERS.sub(lambda m: "(min-width:0)" if _is(m, scheme) else "(max-width:0)", css)
        return style[1] + css + style[3]

    return _BOTH.sub(lambda both: both[1] + scheme, _STYLE_TAG.sub(decided, html))


def _is(query: re.Match[str], scheme: str) -> bool:
    return query[1].lower() == scheme


def _repainted(html: str) -> str:
    html = _STYLE_TAG.sub(lambda tag: tag[1] + _RULE.sub(_repainted_rule, tag[2]) + tag[3], html)
    html = _STYLE.sub(lambda style: style[1] + _repainted_css(style[2]) + style[3], html)
    return _ATTRIBUTE.sub(lambda one: one[1] + _repainted_value(one[2]) + one[3], html)


def _repainted_rule(rule: re.Match[str]) -> str:
    if _OUTLOOK_RULE in rule[1]:  # the letter's own answer, which Outlook leaves alone
        return rule[0]
    return f"{rule[1]}{{{_repainted_css(rule[2])}}}"


def _repainted_css(css: str) -> str:
    return _DECLARATION.sub(lambda one: one[1] + _repainted_value(one[2]), css)


def _repainted_value(value: str) -> str:
    if _URL.search(value):
        return value
    return COLOR.sub(_repainted_color, value)


def _repainted_color(found: re.Match[str]) -> str:
    color = read_color(found[0])
    if color is None:
        return found[0]
    shown = repainted(color)
    if found[0].lower().startswith("rgba"):
        alpha = found[0].rstrip(")").rpartition(",")[2].strip()
        return "rgba({}, {}, {}, {})".format(*shown, alpha)
    return hexadecimal(shown)
