"""Markdown's own marks, as inline HTML that is still to be cleaned."""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

_FOOTNOTE = re.compile(r"(?m)^ {0,3}\[\^[^\]\n]{1,40}\]:.*(?:\n[ \t]+\S.*)*")
_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,40}\]")
_DASHES = {
    re.compile(r"(?<![-!<])---(?![->])"): "—",
    re.compile(r"(?<=\w)--(?=\w)|(?<=\s)--(?=\s)"): "–",
}
_INLINE = {"em": "em", "strong": "strong", "a": "a"}
_BREAKS = ("softbreak", "hardbreak")


@dataclass(frozen=True, kw_only=True)
class MarkedPart:
    """A paragraph, heading or list item of a Markdown text."""

    markup: str  #: inline HTML, not cleaned
    heading: bool = False


def _parser() -> MarkdownIt:
    """Return CommonMark's parser, which leaves HTML and the judging of links to the cleaning."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["strikethrough", "table"])
    parser.disable(["html_block", "code"])  # HTML is read as a paragraph's; indents say nothing
    parser.validateLink = _any_link
    return parser


def _any_link(url: str) -> bool:
    return bool(url)


_MARKDOWN = _parser()


def marked_line(text: str) -> str:
    """Return the markup of a single line, such as a title."""
    return _markup(_MARKDOWN.parseInline(_FOOTNOTE_MARK.sub("", text)))


def marked_parts(text: str) -> tuple[MarkedPart, ...]:
    """Return the paragraphs of a text, without pictures, tables and footnotes."""
    return tuple(_parts(_FOOTNOTE_MARK.sub("", _FOOTNOTE.sub("", text))))


def _parts(text: str) -> Iterator[MarkedPart]:
    before, in_table = "", False
    for token in _MARKDOWN.parse(text):
        if token.type in ("table_open", "table_close"):
            in_table = token.type == "table_open"
        elif token.type == "inline" and not in_table:
            if (markup := _markup([token])).strip():
                yield MarkedPart(markup=markup, heading=before == "heading_open")
        elif token.type == "fence" and token.content.strip():
            yield MarkedPart(markup=f"<code>{_text(token.content)}</code>")
        before = token.type


def _markup(tokens: Iterable[Token]) -> str:
    return "".join(_element(child) for token in tokens for child in token.children or ())


def _element(token: Token) -> str:
    if token.type == "code_inline":
        return f"<code>{_text(token.content)}</code>"
    if token.type == "html_inline":
        return token.content
    if token.type in _BREAKS:
        return " "
    if token.type == "text":
        return _text(_dashed(token.content))
    if name := _INLINE.get(token.tag):
        href = f' href="{html.escape(str(token.attrs["href"]))}"' if token.attrs else ""
        return f"<{name}{href}>" if token.nesting > 0 else f"</{name}>"
    return ""  # a picture, or a line struck through


def _text(text: str) -> str:
    return html.escape(text, quote=False)


def _dashed(text: str) -> str:
    for written, dash in _DASHES.items():
        text = written.sub(dash, text)
    return text
