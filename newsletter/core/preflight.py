"""Preflight: what is in an issue's way, and what a person should have seen before it leaves.

Each rule is a function from the context to its findings; the rules themselves are in
`preflight_stops` and `preflight_looks`.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from newsletter.core.edition import Edition, Letter, whole_edition
from newsletter.core.forecast import Forecast
from newsletter.core.issue import Issue
from newsletter.core.letter_size import EditionSize
from newsletter.core.link_check import LinkCheck
from newsletter.core.publication import Newsletter

_WORD = re.compile(r"[^\W_]+")  #: letters and digits


class PreflightGrade(StrEnum):
    """How much a finding matters."""

    STOPS = "stops"  #: the issue cannot be approved
    LOOK = "look"  #: a person ticks that they have seen it
    REMARK = "note"  #: worth knowing


@dataclass(frozen=True, kw_only=True)
class PreflightFinding:
    """Something a check before sending found."""

    key: str  #: equal for the same finding about the same content: a tick names it
    grade: PreflightGrade
    sentence: str
    place: str = ""  #: the story, edition or setting it is about
    mend: str = ""  #: what would make it go away


@dataclass(frozen=True, kw_only=True)
class LowContrast:
    """Text that is hard to read on its background."""

    scheme: str  #: the light it is looked at in
    text_color: str
    background: str
    ratio: float
    sample: str  #: the beginning of such a text


@dataclass(frozen=True, kw_only=True)
class PastIssue:
    """An earlier issue, as far as a new one is compared with it."""

    date: date
    subject: str  #: of the letter that prints everything
    titles: tuple[str, ...]
    readers: int


def past_issue(issue: Issue, readers: int) -> PastIssue:
    """Return what a new issue is compared with of this one."""
    return PastIssue(
        date=issue.date,
        subject=whole_edition(issue).subject,
        titles=tuple(entry.brief.title for entry in issue.entries),
        readers=readers,
    )


@dataclass(frozen=True, kw_only=True)
class PreflightContext:
    """All that the checks before sending may know."""

    newsletter: Newsletter
    issue: Issue
    forecast: Forecast
    whole: Letter | None  #: everything, with its recipient tags; None: nothing is set
    shown: Letter | None = None  #: the same with a recipient's values in it
    obstacles: tuple[str, ...] = ()
    other_templates: bool = False  #: what is stored was set with other ones than there are now
    smallest: EditionSize | None = None
    largest: EditionSize | None = None
    large_editions: int = 0  #: over 90 kB
    links: dict[str, LinkCheck] = field(default_factory=dict[str, LinkCheck])  #: by link
    past: tuple[PastIssue, ...] = ()  #: the latest thirty, the newest first
    new_words: tuple[str, ...] = ()  #: never printed before
    contrasts: tuple[LowContrast, ...] = ()

    @property
    def editions(self) -> tuple[Edition, ...]:
        return tuple(one.edition for one in self.forecast.editions)


_UNUSUAL = 0.25  #: of an issue's words; when more are new, there is no history to speak of


def unusual_words(issue: Issue, known: AbstractSet[str]) -> tuple[str, ...]:
    """Return the words never printed before; none while so many are new that it says nothing."""
    new = new_words(issue, known)
    briefs = (entry.brief for entry in issue.entries)
    said = {word for one in briefs for word in words_of(f"{one.title} {one.summary} {one.why}")}
    return new if len(new) <= _UNUSUAL * len(said) else ()


def new_words(issue: Issue, known: AbstractSet[str]) -> tuple[str, ...]:
    """Return the words of an issue that are not among those known, in order; none if none are."""
    if not known:
        return ()
    said = (
        word
        for entry in issue.entries
        for text in (entry.brief.title, entry.brief.summary, entry.brief.why)
        for word in words_of(text)
    )
    found = {word.casefold(): word for word in said if word.casefold() not in known}
    return tuple(found.values())


def words_of(text: str) -> list[str]:
    """Return the words worth looking at: of four letters or more, without digits.

    >>> words_of("A foundry's 3nm wafer, halved")
    ['foundry', 'wafer', 'halved']
    """
    words = _WORD.findall(text.replace("'s", ""))
    return [word for word in words if len(word) >= 4 and word.isalpha()]  # noqa: PLR2004  # letters


def folded_words(text: str) -> list[str]:
    """Return the words worth looking at, as they are compared."""
    return [word.casefold() for word in words_of(text)]
