"""Markdown: front matter, then paragraphs."""

import html
import re

import yaml

from newsletter.adapters.sources.cleaning import inline, text_of
from newsletter.adapters.sources.fields import NAMES, brief_of
from newsletter.core.brief import Brief
from newsletter.errors import InvalidBrief

_FENCE = re.compile(r"-{3}[ \t]*")
_LONGEST = 20_000  #: characters of front matter; YAML is slow to read
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|(?<!!)\[(?P<words>[^\[\]]+)\]\((?P<url>(?:[^()\s]|\([^()\s]*\))+)\)"
    r"|\*\*(?P<strong>(?=\S)(?:[^*]|\*(?!\*))+(?<=\S))\*\*"
    r"|(?<![\w*])\*(?P<em>[^\s*](?:[^*]*[^*\s])?)\*(?![\w*])"
)


def read_markdown(text: str, place: str) -> Brief:
    """Return the brief of a Markdown file; without a `summary` its first paragraph is that."""
    lines = text.splitlines()
    closing = _closing_fence(lines, place)
    given, line_of = _front_matter("\n".join(lines[1:closing]), place)
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines[closing + 1 :]))
    parts = [inline(_marked_up(part)) for part in paragraphs if part.strip()]
    if not given.get("summary") and parts:
        given = {**given, "summary": text_of(parts.pop(0))}

    def where(name: str) -> str:
        return f"{place}, line {line_of.get(name, 1)}"

    return brief_of({**given, "body": parts}, where)


def _closing_fence(lines: list[str], place: str) -> int:
    """Return the index of the line that closes the front matter."""
    if not lines or not _FENCE.fullmatch(lines[0]):
        raise InvalidBrief(
            f"{place}, line 1", 'there is no front matter: the file begins with "---"'
        )
    for at, line in enumerate(lines[1:], start=1):
        if _FENCE.fullmatch(line):
            return at
    raise InvalidBrief(f"{place}, line 1", 'the front matter is never closed by a line "---"')


def _front_matter(text: str, place: str) -> tuple[dict[str, object], dict[str, int]]:
    """Return the values, scalars as the text that was written, and the line of each key."""
    root = _composed(text, place)
    given: dict[str, object] = {}
    line_of: dict[str, int] = {}
    for key, value in root.value:
        line = key.start_mark.line + 2
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        if name in given:
            raise InvalidBrief(f"{place}, line {line}", f"{name} was given before")
        if name not in NAMES or name == "body":
            raise InvalidBrief(f"{place}, line {line}", f"unknown field {name[:40]!r}")
        given[name], line_of[name] = _value(value, f"{place}, line {line}"), line
    return given, line_of


def _composed(text: str, place: str) -> yaml.MappingNode:
    if len(text) > _LONGEST:
        raise InvalidBrief(f"{place}, line 1", f"front matter over {_LONGEST:,} characters")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        reason = f"the front matter is not YAML: {error.problem or error.context}"
        raise InvalidBrief(f"{place}, line {line}", reason) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise InvalidBrief(f"{place}, line 1", "the front matter is not YAML") from None
    if not isinstance(root, yaml.MappingNode):
        raise InvalidBrief(f"{place}, line 2", 'the front matter has no "name: value" lines')
    return root


def _value(node: yaml.Node, where: str) -> object:
    """Return a scalar's text or a list of such; nothing deeper is allowed."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode) and all(
        isinstance(item, yaml.ScalarNode) for item in node.value
    ):
        return [item.value for item in node.value]
    raise InvalidBrief(where, "must be text or a list of texts")


def _marked_up(text: str) -> str:
    """Return the paragraph with links, emphasis and code as HTML; existing HTML stays."""
    return _INLINE.sub(_element, text)


def _element(found: re.Match[str]) -> str:
    if code := found["code"]:
        return f"<code>{html.escape(code, quote=False)}</code>"
    if words := found["words"]:
        return f'<a href="{html.escape(found["url"])}">{_marked_up(words)}</a>'
    name = "strong" if found["strong"] else "em"
    return f"<{name}>{_marked_up(found[name])}</{name}>"
