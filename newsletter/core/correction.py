"""Corrections: what a printed story says since, shown beside it on the web."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from newsletter.core.brief import Brief
from newsletter.core.issue import IssueEntry
from newsletter.core.story_size import printed_text, printed_why


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What a story says now, and since when."""

    brief_id: int
    on: date
    text: str

    @property
    def said(self) -> str:
        return f"Corrected on {self.on.day} {self.on:%B %Y}. {self.text}"


def correction_of(entry: IssueEntry, now: Brief, on: date) -> Correction | None:
    """Return what a later revision of a printed brief corrects; None if nothing printed changed."""
    text = " ".join(_changes(entry, now))
    return Correction(brief_id=entry.brief_id, on=on, text=text) if text else None


def _changes(entry: IssueEntry, now: Brief) -> Iterator[str]:
    before, size = entry.brief, entry.size
    if now.title != before.title:
        yield f"The headline is now: {now.title}."
    if printed_text(now, size) != printed_text(before, size):
        yield printed_text(now, size)
    if (why := printed_why(now, size)) != printed_why(before, size) and why:
        yield f"Why it matters: {why}"
    if now.source != before.source:
        yield f"The source is {now.source.name}: {now.source.url}"
    if now.verification is not before.verification:
        yield f"It is {'partly verified' if now.verification.value == 'partial' else 'verified'}."
