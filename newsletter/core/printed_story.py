"""A story that was printed: what everybody read of it, where, and what became of it since."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from newsletter.core.brief import Brief, Picture, Verification
from newsletter.core.correction import Correction, correction_of
from newsletter.core.galley import plain_line
from newsletter.core.issue import IssueEntry
from newsletter.core.picture import why_unfit_picture
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.story_size import printed_text, printed_why
from newsletter.core.web_address import web_url

_WORDS_LENGTH = 60  #: characters of a headline in an address


class StoryState(StrEnum):
    """What became of a story after it was printed."""

    PRINTED = "printed"  #: nothing, or it was corrected
    IN_REVIEW = "in_review"  #: a later text of it is not accepted yet
    WITHDRAWN = "withdrawn"  #: it was held or taken down, or nobody calls it verified any more


@dataclass(frozen=True, kw_only=True)
class StoryNow:
    """A brief as it is stored now, as far as it matters to those who read it in print."""

    brief: Brief
    accepted: bool  #: by the gate, and held by nobody
    held: bool  #: by a person, or because its source took it down
    revised_at: datetime
    accepted_at: datetime | None  #: this text, first
    decided_at: datetime | None  #: by a person, last

    @property
    def state(self) -> StoryState:
        if self.held or self.brief.verification is Verification.UNVERIFIED:
            return StoryState.WITHDRAWN
        return StoryState.PRINTED if self.accepted else StoryState.IN_REVIEW

    @property
    def since(self) -> datetime:
        """Return the moment of the newest change."""
        return max(self.revised_at, self.accepted_at or self.revised_at, self._decided)

    @property
    def _decided(self) -> datetime:
        return self.decided_at or self.revised_at


@dataclass(frozen=True, kw_only=True)
class Printing:
    """An issue that is out, and the story as it stands in it."""

    newsletter: str
    date: date
    number: int
    planned_at: datetime
    entry: IssueEntry


@dataclass(frozen=True, kw_only=True)
class PrintedStoryRecord:
    """What is stored of a printed story."""

    printings: tuple[Printing, ...]  #: the first issue first, at least one
    later: tuple[tuple[Brief, datetime], ...]  #: each text accepted since the first, and when
    now: StoryNow


@dataclass(frozen=True, kw_only=True)
class PrintedStory:
    """A printed story as its own page shows it."""

    newsletter: str  #: slug of the newsletter whose story it is; not of its digest
    printings: tuple[Printing, ...]  #: the first issue first
    corrections: tuple[Correction, ...]  #: the oldest first
    state: StoryState
    since: date  #: of the newest change
    changed_at: datetime  #: of anything that its page shows

    @cached_property
    def entry(self) -> IssueEntry:
        """Return it as it was printed at the top, if an issue did so; else as it was first."""
        entries = [one.entry for one in self.printings]
        return next((one for one in entries if one.lead), entries[0])

    @property
    def path(self) -> str:
        first = self.printings[0].entry
        return story_path(self.newsletter, first.brief_id, first.brief.title)

    @property
    def title(self) -> str:
        return plain_line(self.entry.brief.title)

    @property
    def text(self) -> str:
        return plain_line(printed_text(self.entry.brief, self.entry.size))

    @property
    def why(self) -> str:
        return plain_line(printed_why(self.entry.brief, self.entry.size))

    @property
    def verified(self) -> bool:
        return self.entry.brief.verification is Verification.VERIFIED

    @property
    def unconfirmed(self) -> str:
        return "" if self.verified else plain_line(self.entry.brief.unconfirmed)

    @property
    def source(self) -> str:
        return plain_line(self.entry.brief.source.name)

    @property
    def source_url(self) -> str:
        return web_url(self.entry.brief.source.url)

    @property
    def picture(self) -> Picture | None:
        return printed_picture(self.entry)


def printed_picture(entry: IssueEntry) -> Picture | None:
    """Return the picture of a story that is printed at the top, if it is fit to be shown."""
    found = entry.brief.picture
    if not entry.lead or why_unfit_picture(found):
        return None
    return replace(found, url=web_url(found.url), alt=plain_line(found.alt))


def printed_story(newsletter: Newsletter, record: PrintedStoryRecord) -> PrintedStory:
    """Return what the page of a story shows, by the dates where the newsletter is made."""
    last = max(one.planned_at for one in record.printings)
    story = PrintedStory(
        newsletter=newsletter.readers.newsletter,
        printings=record.printings,
        corrections=(),
        state=record.now.state,
        since=day_of(newsletter.timetable, record.now.since),
        changed_at=max(last, record.now.since),
    )
    return replace(story, corrections=tuple(_corrections(newsletter, story.entry, record)))


def _corrections(
    newsletter: Newsletter, entry: IssueEntry, record: PrintedStoryRecord
) -> Iterator[Correction]:
    """Yield what each later text changed of the one before it, in the size it was printed in."""
    before = replace(entry, brief=record.printings[0].entry.brief)
    for brief, at in record.later:
        if one := correction_of(before, brief, day_of(newsletter.timetable, at)):
            yield one
        before = replace(before, brief=brief)


def story_path(newsletter: str, brief_id: int, title: str) -> str:
    """Return the path of a story's page; its number finds it, the words are for people.

    >>> story_path("technology", 7, "A foundry’s plan: half the water")
    '/technology/briefs/7-a-foundrys-plan-half-the-water'
    """
    return f"/{newsletter}/briefs/{'-'.join((str(brief_id), *_words(title)))}"


def _words(title: str) -> Iterable[str]:
    """Return the first words of a headline, as far as an address shows them without encoding."""
    bare = unicodedata.normalize("NFKD", title.replace("’", "").replace("'", "")).casefold()
    length = 0
    for word in re.findall(r"[a-z0-9]+", "".join(filter(str.isascii, bare))):
        length += len(word) + 1
        if length > _WORDS_LENGTH:
            return
        yield word
