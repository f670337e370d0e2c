"""Wording: what a person writes for an issue itself, besides its stories.

See docs/decisions/a-subject-promises-a-story.md.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from newsletter.core.verification import SHORT_LENGTH, has_tag_syntax

SUBJECT_LENGTH = SHORT_LENGTH  #: clients cut at 55 to 70 characters on a desktop
PREHEADER_LENGTH = 100  #: what an inbox shows beside a subject
NOTE_LENGTH = 200  #: characters that are read, link addresses apart

_LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^\s()]+)\)", re.IGNORECASE)


class NoteKind(StrEnum):
    """What an editors' note is about; the letter begins it with its kind."""

    NOTE = "note"
    CORRECTION = "correction"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """An issue's own subject, preheader and editors' note; empty: there is none."""

    subject: str = ""
    preheader: str = ""
    about: int | None = None  #: the brief that subject and preheader promise; None: the first
    note: str = ""  #: plain text; a link is written [words](https://example.org/)
    note_kind: NoteKind = NoteKind.NOTE


NO_WORDING = Wording()


def on_one_line(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a wording, each text on one line."""
    return {
        name: " ".join(value.split()) if type(value) is str else value
        for name, value in fields.items()
    }


@dataclass(frozen=True, kw_only=True)
class NotePart:
    """A stretch of an editors' note: words, and where they lead if they are a link."""

    text: str
    url: str = ""


def note_parts(note: str) -> tuple[NotePart, ...]:
    """Return the words and the links of a note; what is not a web link stays as it is written."""
    parts: list[NotePart] = []
    at = 0
    for link in _LINK.finditer(note):
        parts.append(NotePart(text=note[at : link.start()]))
        parts.append(NotePart(text=link[1], url=link[2]))
        at = link.end()
    parts.append(NotePart(text=note[at:]))
    return tuple(part for part in parts if part.text)


def line_faults(name: str, line: str, limit: int) -> Iterator[str]:
    """Yield why a line cannot be printed as it is."""
    if len(line) > limit:
        yield f"The {name} has {len(line)} characters; {limit} fit."
    if has_tag_syntax(line):
        yield f"The {name} would be read as a tag of the letter."


def wording_faults(wording: Wording) -> Iterator[str]:
    """Yield each reason why this cannot be printed."""
    return (fault for _, fault in faults_by_field(wording))


def faults_by_field(wording: Wording) -> Iterator[tuple[str, str]]:
    """Yield each reason why this cannot be printed, with the field that it is about."""
    read = "".join(part.text for part in note_parts(wording.note))
    lines = (
        ("subject", "subject", wording.subject, SUBJECT_LENGTH),
        ("preheader", "preheader", wording.preheader, PREHEADER_LENGTH),
        ("note", "editors’ note", read, NOTE_LENGTH),
    )
    for field, name, line, limit in lines:
        yield from ((field, fault) for fault in line_faults(name, line, limit))
    if has_tag_syntax(wording.note) and not has_tag_syntax(read):
        yield "note", "A link of the editors’ note would be read as a tag of the letter."
