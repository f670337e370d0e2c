"""Front matter: the "name: value" lines above a Markdown text, and where each stands."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from newsletter.adapters.sources.cleaning import visible
from newsletter.adapters.sources.fields import NAMES
from newsletter.errors import InvalidBrief

_LONGEST = 20_000  #: characters of front matter; YAML is slow to read
_NULL = frozenset({"~", "null"})
_PROSE = frozenset({"title", "summary", "why", "source", "pillar"})
_TAB_WITHIN = re.compile(r"(?<=[^\n])\t")
_COMMENT = re.compile(r"[ \t]+#[^\n]*")
_LINE = re.compile(r"(?P<name>[A-Za-z_]\w*)[ \t]*:[ \t]+(?P<value>\S.*)")
_ZONE_APART = re.compile(r"(?<=\d)[ \t]+(?=(?:[+-]\d\d?(?::?\d\d)?|Z)$)")


@dataclass(frozen=True, kw_only=True)
class FrontFields:
    """The values of a front matter, each a text or a list of texts."""

    given: Mapping[str, object]
    line_of: Mapping[str, int]  #: counted from 1, in the file


def read_front_fields(lines: Sequence[str], above: int, place: str) -> FrontFields:
    """Return the values as they were written; `above` counts the file's lines before these."""
    given: dict[str, object] = {}
    line_of: dict[str, int] = {}
    text = _TAB_WITHIN.sub(" ", "\n".join(lines))
    for key, value in _composed(text, lines, above, place).value:
        line = key.start_mark.line + above + 1
        name = visible(str(key.value)).lower() if isinstance(key, yaml.ScalarNode) else "?"
        if name in given:
            raise InvalidBrief(f"{place}, line {line}", f"{name} was given before")
        if name not in NAMES or name == "body":
            raise InvalidBrief(f"{place}, line {line}", f"unknown field {name[:40]!r}")
        if name in _PROSE:
            _refuse_comment(name, value, text, f"{place}, line {line}")
        given[name], line_of[name] = _value(value, f"{place}, line {line}"), line
    if isinstance(published := given.get("published"), str):
        given["published"] = _ZONE_APART.sub("", published)  # as YAML's own dates may be written
    return FrontFields(given=given, line_of=line_of)


def _composed(text: str, lines: Sequence[str], above: int, place: str) -> yaml.MappingNode:
    if len(text) > _LONGEST:
        raise InvalidBrief(f"{place}, line {above}", f"front matter over {_LONGEST:,} characters")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        at = _line_of(error)
        reason = _cure(error, lines[at] if at < len(lines) else "")
        raise InvalidBrief(f"{place}, line {at + above + 1}", reason) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        reason = "the front matter cannot be read: it holds lists in lists, or odd characters"
        raise InvalidBrief(f"{place}, line {above}", reason) from None
    if not isinstance(root, yaml.MappingNode):
        reason = 'the front matter has no "name: value" lines'
        raise InvalidBrief(f"{place}, line {above + 1}", reason)
    return root


def _line_of(error: yaml.MarkedYAMLError) -> int:
    """Return the index of the line that is wrong: of what goes on, where it begins."""
    goes_on = (error.context or "").endswith(("quoted scalar", "simple key"))
    mark = (error.context_mark if goes_on else None) or error.problem_mark
    return mark.line if mark else 0


def _cure(error: yaml.MarkedYAMLError, line: str) -> str:
    """Return what is wrong with a line, and how to write it."""
    problem = error.problem or ""
    if "quoted scalar" in (error.context or ""):
        return "the quotation mark that opens here is never closed, or a backslash stands in it"
    if line.startswith("\t") or r"'\t'" in problem:
        return "a line begins with a tab; begin it with its name, or with spaces"
    found = _LINE.match(line)
    if not found:
        return 'this line cannot be read; front matter has lines such as "title: A title"'
    quoted = _quoted(found["name"], found["value"])
    if "mapping values" in problem:
        return f'a value with ": " in it must stand in quotes: {quoted}'
    return f"this value cannot be read; put it in quotes: {quoted}"


def _quoted(name: str, value: str) -> str:
    bare = value.strip().strip("\"'")
    inner = bare.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}: "{inner:.200}"'


def _refuse_comment(name: str, node: yaml.Node, text: str, where: str) -> None:
    """Refuse prose of which YAML would take the part after " #" for a comment."""
    plainly = isinstance(node, yaml.ScalarNode) and node.style is None and node.value
    lost = _COMMENT.match(text, node.end_mark.index) if plainly else None
    if lost:
        whole = _quoted(name, text[node.start_mark.index : lost.end()])
        reason = f'all after " #" would be lost; put the value in quotes: {whole}'
        raise InvalidBrief(where, reason)


def _value(node: yaml.Node, where: str) -> object:
    """Return a scalar's text or a list of such; nothing deeper is allowed."""
    if isinstance(node, yaml.ScalarNode):
        return "" if node.style is None and node.value.lower() in _NULL else node.value
    if isinstance(node, yaml.SequenceNode) and all(
        isinstance(item, yaml.ScalarNode) for item in node.value
    ):
        return [item.value for item in node.value]
    raise InvalidBrief(where, "must be text or a list of texts")
