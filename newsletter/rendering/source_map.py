"""The template and line that each tag of the filled-in MJML came from.

MJML reports no lines, and the lines of the filled-in source are not those of a template. So each
start tag in a template gets an attribute with its place before Jinja reads it, which is removed
before MJML reads it. Printed text cannot forge one: its quotes would be escaped.
"""

import re
from collections.abc import Iterator

PLACE_ATTRIBUTE = "data-at"
SOMEWHERE = "a template"  #: the place of a tag without that attribute

_JINJA = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}"
_JINJA_OR_COMMENT = rf"{_JINJA}|<!--.*?-->"
_LINE_START = re.compile(rf"(^)|{_JINJA}", re.DOTALL | re.MULTILINE)
_LINE = re.compile("\ue000([0-9]+)\ue001")  # private characters: no style sheet has them
_START_TAG = re.compile(rf"(?:{_JINJA_OR_COMMENT})|(<[A-Za-z][\w:-]*)", re.DOTALL)
_PLACE = re.compile(rf' {PLACE_ATTRIBUTE}="([^"]*)"')
_ANY_TAG = re.compile(
    r"<!--.*?-->|<(?P<end>/?)(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:[^<>\"]|\"[^\"]*\")*)>",
    re.DOTALL,
)


def with_places(source: str, name: str) -> str:
    """Return a template's source with its name and line on every start tag; lines stay."""

    def placed(tag: re.Match[str]) -> str:
        if not tag[1]:
            return tag[0]
        line = source.count("\n", 0, tag.start()) + 1
        return f'{tag[1]} {PLACE_ATTRIBUTE}="{name}, line {line}"'

    return _START_TAG.sub(placed, source)


def without_places(filled: str) -> str:
    """Return filled-in MJML as the templates' authors wrote it."""
    return _PLACE.sub("", filled)


def place_before(filled: str, line: int, column: int) -> str:
    """Return the place of the last start tag up to a line (from 1) and column (from 0)."""
    lines = filled.splitlines(keepends=True)
    before = "".join(lines[: line - 1]) + lines[line - 1][: column + 1]
    places = _PLACE.findall(before)
    return places[-1] if places else SOMEWHERE


def unclosed(filled: str) -> Iterator[tuple[str, str]]:
    """Yield the name and place of the first tag that is not closed where it should be."""
    opened: list[tuple[str, str]] = []
    for tag in _ANY_TAG.finditer(filled):
        if not tag["name"] or tag["rest"].endswith("/"):
            continue
        if not tag["end"]:
            place = _PLACE.search(tag["rest"])
            opened.append((tag["name"], place[1] if place else SOMEWHERE))
        elif opened and opened[-1][0] == tag["name"]:
            opened.pop()
        else:
            break
    yield from opened[-1:]


def with_lines(source: str) -> str:
    """Return a template's source with its number on each line that does not begin within Jinja."""

    def numbered(start: re.Match[str]) -> str:
        if start[1] is None:
            return start[0]
        return f"\ue000{source.count(chr(10), 0, start.start()) + 1}\ue001"

    return _LINE_START.sub(numbered, source)


def lines_before(filled: str) -> list[int]:
    r"""Return the template's line for each line of a source that was numbered, then filled in.

    >>> lines_before(with_lines("{# a\n#}\nb\n").replace("{# a\n#}\n", ""))
    [3, 4]
    """
    found: list[int] = []
    for line in filled.split("\n"):
        parts = _LINE.split(line)  # text, number, text, number, text ...
        numbers = [int(number) for number in parts[1::2]]
        said = [number for number, text in zip(numbers, parts[2::2], strict=True) if text.strip()]
        found.append((said or numbers[-1:] or found[-1:] or [1])[0])
    return found
