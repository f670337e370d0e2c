"""Cleaning of strangers' text, to plain text or to safe inline HTML."""

import html
import re
import unicodedata

import nh3

from newsletter.adapters.sources import brackets
from newsletter.core.web_address import is_web_address

_HIDDEN = frozenset({"Cc", "Cf", "Cs"})  # control, format (bidi, zero width), lone surrogates
_JOINERS = "\u200c\u200d"  # needed inside Persian, Indic scripts and emoji; hidden in Latin text
_IDLE_JOINER = re.compile(
    f"[{_JOINERS}]{{2,}}|(?<![^\x00-\x7f])[{_JOINERS}]|[{_JOINERS}](?![^\x00-\x7f])"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNSEEN = re.compile(r"(?is)<(script|style)\b(?:(?!<\1\b).)*?</\1\s*>")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>")
_COMMENT = re.compile(r"(?s)<!--(?!\[\[|\]\])(?:(?!<!--).)*?-->")
_OWN_MARK = re.compile(r"<(?=!--(?:\[\[|\]\]))")
_BLOCK_TAG = re.compile(
    r"(?i)</?(?:p|div|li|ul|ol|h[1-6]|blockquote|section|article)\b[^<>]*>|<br\b[^<>]*>"
)
_BOLD, _ITALIC = re.compile(r"(?i)<(/?)b(?=[\s>])"), re.compile(r"(?i)<(/?)i(?=[\s>])")
_FORMATTING = re.compile(
    r"(?i)<(b|i|em|strong|u|sup|sub|span|font|mark|small)(?:\s[^<>]*)?>([^<>]*)</\1>"
)
_EMPTY_LINK = re.compile(r"<a>(.*?)</a>", re.DOTALL)

_CLEANER = nh3.Cleaner(
    tags={"a", "em", "strong", "code"},
    attributes={"a": {"href"}},
    clean_content_tags={"script", "style", "template", "svg", "title", "noscript", "iframe"},
    attribute_filter=lambda _tag, _name, value: value if is_web_address(value) else None,
    url_schemes={"http", "https"},
    link_rel=None,
    strip_comments=True,
)


def visible(text: str) -> str:
    """Return the text in NFC without control, bidi and hidden characters, whitespace folded."""
    spaced = " ".join(text.split())
    visible_text = "".join(
        c for c in spaced if c in _JOINERS or unicodedata.category(c) not in _HIDDEN
    )
    return " ".join(unicodedata.normalize("NFC", _IDLE_JOINER.sub("", visible_text)).split())


def plain(text: str) -> str:
    """Return plain text: `visible`, with markup taken out and entities read, once.

    What stands in brackets and is no markup stays (`brackets`), and so does what was escaped: it is
    text, and is escaped again where it is printed. The letter's own tag syntax (`<!--[[`, `<%`)
    stays, too: a verification check refuses it by name.
    """
    seen = _COMMENT.sub(" ", _UNSEEN.sub(" ", visible(text)))
    return visible(_unescaped(brackets.stripped(seen)))


def heading(text: str) -> str:
    """Return the plain text of a feed's title, in which some publishers escape markup twice."""
    return visible(_FORMATTING.sub(r"\2", plain(text)))


def inline(markup: str) -> str:
    """Return one paragraph of safe inline HTML: a[href], em, strong, code and nothing else."""
    marked = _ITALIC.sub(r"<\1em", _BOLD.sub(r"<\1strong", visible(brackets.escaped(markup))))
    cleaned = _CLEANER.clean(_OWN_MARK.sub("&lt;", marked))
    return visible(_EMPTY_LINK.sub(r"\1", cleaned))


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def text_of(markup: str) -> str:
    """Return the text of inline HTML, without its tags."""
    return html.unescape(_TAG.sub("", markup))


def paragraphs(markup: str) -> tuple[str, ...]:
    """Return the paragraphs of a text, which block tags or empty lines separate."""
    parts = re.split(r"\n\s*\n", _BLOCK_TAG.sub("\n\n", markup))
    return tuple(cleaned for part in parts if (cleaned := inline(part)))
