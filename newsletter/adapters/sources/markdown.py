"""Markdown: front matter, then paragraphs; a file may hold several such briefs."""

import re
from collections.abc import Iterator, Mapping, Sequence

from newsletter.adapters.sources.cleaning import text_of
from newsletter.adapters.sources.fields import NAMES, brief_of
from newsletter.adapters.sources.front_fields import read_front_fields
from newsletter.adapters.sources.markup import marked_line, marked_parts
from newsletter.core.brief import Brief
from newsletter.errors import InvalidBrief

_FENCE = re.compile(r"-{3}[ \t]*")
_OTHER_FENCES = {"+++": "TOML", "{": "JSON", ";;;": "JSON"}
_LONGEST = 50_000  #: characters of a brief's text; brackets in brackets are slow to read
_NAMED = re.compile(rf"(?i)[\"']?(?:{'|'.join(NAMES)})[\"']?[ \t]*:(?:[ \t]|$)")
_ENOUGH_NAMES = 2  #: lines with a field's name, to know front matter from prose
#: Line ends of other systems, and control characters, which YAML refuses.
_LINE_END = re.compile(r"\r\n?")
_NOT_IN_YAML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def read_markdown(text: str, place: str) -> tuple[Brief, ...]:
    """Return the briefs of a Markdown file, in its order; mostly there is one.

    Without a `summary` a brief's first paragraph is that.
    """
    lines = _NOT_IN_YAML.sub(" ", _LINE_END.sub("\n", text)).split("\n")
    starts = list(_starts(lines, place))
    ends = [opening for opening, _ in starts[1:]] + [len(lines)]
    return tuple(
        _brief(lines[:end], opening, closing, place)
        for (opening, closing), end in zip(starts, ends, strict=True)
    )


def _starts(lines: Sequence[str], place: str) -> Iterator[tuple[int, int]]:
    """Yield, for each front matter, the indexes of the lines that open and close it."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if not _FENCE.fullmatch(lines[first]):
        raise InvalidBrief(f"{place}, line {first + 1}", _no_front_fields(lines[first]))
    fences = [at for at, line in enumerate(lines) if _FENCE.fullmatch(line)]
    if len(fences) == 1:
        reason = 'the front matter is never closed by a line "---"'
        raise InvalidBrief(f"{place}, line {first + 1}", reason)
    yield fences[0], fences[1]
    closed = fences[1]
    for opening, closing in zip(fences[1:], [*fences[2:], len(lines)], strict=True):
        if opening < closed or not _has_front_fields(lines[opening + 1 : closing]):
            continue
        if closing == len(lines):
            reason = (
                f'another brief\'s front matter begins here and is never closed by a line "---"; '
                f"the first begins in line {first + 1}"
            )
            raise InvalidBrief(f"{place}, line {opening + 1}", reason)
        closed = closing
        yield opening, closing


def _no_front_fields(line: str) -> str:
    wanted = 'there is no front matter: the file begins with "---", and another "---" ends it'
    other = next((name for mark, name in _OTHER_FENCES.items() if line.startswith(mark)), "")
    return f"{wanted}; front matter in {other} is not read" if other else wanted


def _has_front_fields(lines: Sequence[str]) -> bool:
    """Return whether a brief's fields stand here, and not its text between two rules."""
    written = [line for line in lines if line.strip() and not line.startswith("#")]
    named = sum(bool(_NAMED.match(line)) for line in written)
    return named >= _ENOUGH_NAMES and bool(_NAMED.match(written[0]))


def _brief(lines: Sequence[str], opening: int, closing: int, place: str) -> Brief:
    front = read_front_fields(lines[opening + 1 : closing], opening + 1, place)
    text = "\n".join(lines[closing + 1 :])
    if len(text) > _LONGEST:
        reason = f"the text of a brief may have {_LONGEST:,} characters"
        raise InvalidBrief(f"{place}, line {closing + 1}", reason)
    given = _worded(front.given)
    parts = [part for part in marked_parts(text) if text_of(part.markup) != given.get("title")]
    if not given.get("summary"):
        first = next((part for part in parts if not part.heading), None)
        given["summary"] = first.markup if first else ""
        parts = [part for part in parts if part is not first]

    def where(name: str) -> str:
        return f"{place}, line {front.line_of.get(name, opening + 1)}"

    return brief_of({**given, "body": [part.markup for part in parts]}, where)


def _worded(given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields with the Markdown in those that are prose as markup, to be taken out."""
    worded = dict(given)
    if isinstance(title := given.get("title"), str):
        worded["title"] = marked_line(title)
    for name in ("summary", "why"):
        if isinstance(text := given.get(name), str):
            worded[name] = " ".join(part.markup for part in marked_parts(text))
    return worded
