"""Style sheets read strictly: what a mail program would skip without a word is an error here."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

import cssselect
import tinycss2

from newsletter.errors import RenderingFailed

#: A line of a style sheet, counted from 1, and what is wrong there.
CssFault = tuple[int, str]

_tinycss2 = cast("Any", tinycss2)
_translator: Any = cssselect.HTMLTranslator()
_SKIPPED = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_PSEUDO = re.compile(r"::?[a-z-]+", re.IGNORECASE)
#: The only ones that premailer writes into tags.
_INLINED_PSEUDO = {":first-child", ":last-child", ":nth-child"}


@lru_cache(maxsize=8)
def css_faults(css: str) -> tuple[CssFault, ...]:
    """Return what cannot be read in a style sheet; an unclosed brace hides what is behind it."""
    return tuple(_unbalanced(css)) or tuple(_faults_of(_parsed(css)))


@lru_cache(maxsize=2048)  # the tags of a letter share a few styles
def style_faults(css: str) -> tuple[str, ...]:
    """Return what cannot be read in a style attribute."""
    content = _tinycss2.parse_component_value_list(css)
    return tuple(said for _, said in tuple(_unbalanced(css)) or _faults_in_block(content))


@lru_cache(maxsize=8)  # every transactional letter asks again
def inlined_faults(css: str) -> tuple[CssFault, ...]:
    """Return what cannot be read, and what premailer would drop on writing rules into tags."""
    return tuple(_faults_of_inlined(css))


def _faults_of_inlined(css: str) -> Iterator[CssFault]:
    unreadable = css_faults(css)
    yield from unreadable
    for rule in () if unreadable else _parsed(css):
        if rule.type == "at-rule":
            reason = f"@{rule.lower_at_keyword} cannot be written into tags: put it into head.css"
            yield rule.source_line, reason
        elif rule.type == "qualified-rule":
            for selector in _tinycss2.serialize(rule.prelude).split(","):
                yield from ((rule.source_line, said) for said in _not_inlined(selector.strip()))


def refuse_faults(name: str, faults: Iterable[CssFault]) -> None:
    """Raise RenderingFailed with a line for each fault in the style sheet of this name."""
    if complaints := [f"{name}, line {line}: {reason}" for line, reason in faults]:
        raise RenderingFailed("\n".join(complaints))


@lru_cache(maxsize=8)
def rules(css: str) -> tuple[tuple[str, list[tuple[str, str]]], ...]:
    """Return selectors and declarations of each rule, those for any screen included."""
    return tuple(_rules(css))


def _rules(css: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for rule in _parsed(css):
        if rule.type == "qualified-rule":
            yield _tinycss2.serialize(rule.prelude), _declared(rule.content)
        elif rule.type == "at-rule" and rule.content is not None and _on_screen(rule):
            yield from _rules(_tinycss2.serialize(rule.content))


@lru_cache(maxsize=2048)  # the tags of a letter share a few styles
def declarations(css: str) -> tuple[tuple[str, str], ...]:
    """Return names and values of a style attribute, in lower case."""
    return tuple(_declared(_tinycss2.parse_component_value_list(css)))


def _declared(content: Any) -> list[tuple[str, str]]:
    found = _tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return [
        (one.lower_name, _tinycss2.serialize(one.value).strip().lower())
        for one in found
        if one.type == "declaration"
    ]


def _parsed(css: str) -> list[Any]:
    return _tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)


def _on_screen(rule: Any) -> bool:
    return "print" not in _tinycss2.serialize(rule.prelude)


def _unbalanced(css: str) -> Iterator[CssFault]:
    """Yield the braces that close nothing or are never closed, with comments that never end."""
    bare = _SKIPPED.sub(lambda skipped: re.sub(r"[^\n]", " ", skipped[0]), css)
    opened: list[int] = []
    for at in re.finditer(r"[{}]|/\*", bare):
        line = bare.count("\n", 0, at.start()) + 1
        if at[0] == "/*":
            yield line, "a comment begins here and is never closed"
            return
        if at[0] == "{":
            opened.append(line)
        elif opened:
            opened.pop()
        else:
            yield line, "a } closes nothing"
    yield from ((line, "a { is never closed") for line in opened[-1:])


def _faults_of(parsed: list[Any]) -> Iterator[CssFault]:
    for one in parsed:
        if one.type == "error":
            yield one.source_line, one.message
        elif one.type == "qualified-rule":
            yield from _faults_in_block(one.content)
        elif one.type == "at-rule" and one.content is not None:
            inner = _tinycss2.parse_rule_list(one.content, skip_comments=True, skip_whitespace=True)
            yield from _faults_of(inner)


def _faults_in_block(content: Any) -> Iterator[CssFault]:
    for one in _tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if one.type == "error":
            yield one.source_line, f"{one.message} (is a : or a ; missing?)"
        elif one.type != "declaration":
            yield one.source_line, "a rule stands within a rule: is a } missing above?"
        elif not _tinycss2.serialize(one.value).strip():
            yield one.source_line, f"{one.name} has no value"
        else:
            yield from _bad_tokens(one.value)


def _bad_tokens(tokens: Any) -> Iterator[CssFault]:
    for token in tokens:
        if token.type == "error":
            yield token.source_line, token.message
        elif token.type == "{} block":
            yield token.source_line, "a rule stands within a rule: is a } missing above?"
        elif inner := getattr(token, "arguments", None) or getattr(token, "content", None):
            yield from _bad_tokens(inner)


def _not_inlined(selector: str) -> Iterator[str]:
    for pseudo in _PSEUDO.findall(selector):
        if pseudo not in _INLINED_PSEUDO:
            yield f"{selector}: {pseudo} cannot be written into tags: put it into head.css"
            return
    try:
        _translator.css_to_xpath(selector)
    except cssselect.SelectorError as error:
        yield f"{selector}: {error}"
