"""What a template may print of an issue: clean text, and the names of its pieces.

Templates see nothing else, so that an edited template cannot print anything unescaped or
unverified.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.core.brief import Verification
from newsletter.core.edition import EDITION_TAGS, RECIPIENT_TAGS, shorten
from newsletter.core.galley import PERSONAL, piece_of, plain_line
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.publication import Newsletter
from newsletter.core.web_address import web_url
from newsletter.core.wording import NoteKind, NotePart, Wording, note_parts
from newsletter.errors import RenderingFailed

#: How far a brief is verified, as letters say it.
LABELS = {Verification.VERIFIED: "Verified", Verification.PARTIAL: "Partly verified"}
_NOTE_LABELS = {NoteKind.NOTE: "A note from the editors.", NoteKind.CORRECTION: "Correction."}
_CONTENTS_WIDTH = 80  #: characters of a headline in the list of contents
_RIGHT_TO_LEFT = {"ar", "dv", "fa", "he", "ps", "ur", "yi"}  #: primary BCP 47 subtags
#: Placeholders by the names that templates use for them: `subject` is "-nl_subject-".
_TAGS = {tag[len("-nl_") : -1]: tag for tag in (*EDITION_TAGS, *RECIPIENT_TAGS)}


@dataclass(frozen=True, kw_only=True)
class Story:
    """A brief as it is printed: one line of plain text in each field."""

    brief_id: int
    piece: str
    title: str
    short: str  #: the title, shortened for the list of contents
    summary: str
    why: str  #: empty when the brief gives none
    label: str  #: how far it is verified, in words
    verified: bool
    source: str  #: empty when unknown
    url: str  #: http or https, percent-encoded; empty when the brief has no such link
    minutes: int  #: reading time of the source; 0 when unknown


@dataclass(frozen=True, kw_only=True)
class Section:
    """A topic and the stories under its heading; an edition without these omits it."""

    piece: str
    title: str
    stories: tuple[Story, ...]


@dataclass(frozen=True, kw_only=True)
class EditorsNote:
    """What the editors say above the stories, in every edition."""

    label: str  #: its kind, in words
    parts: tuple[NotePart, ...]  #: plain text; those with a `url` are links

    @property
    def text(self) -> str:
        """Return it as plain text, each link's address behind its words."""
        said = (f"{one.text} ({one.url})" if one.url else one.text for one in self.parts)
        return "".join(said).strip()


@dataclass(frozen=True, kw_only=True)
class Page:
    """The variables of a template; each field is one of that name."""

    name: str
    tagline: str
    language: str
    direction: str  #: "ltr" or "rtl"
    start: str  #: the side a line starts on: "left" or "right"
    postal_address: str
    date: str  #: written out; of a digest, the first and last day of its week
    period: str  #: what the issue covers: "today" or "this week"
    note: EditorsNote | None
    leads: tuple[Story, ...]
    sections: tuple[Section, ...]  #: in the newsletter's order, none of them empty
    tags: dict[str, str]  #: placeholders for values of the edition or the recipient
    personal: str  #: the piece that names the recipient

    @property
    def stories(self) -> tuple[Story, ...]:
        return (*self.leads, *(story for part in self.sections for story in part.stories))


def page_of(newsletter: Newsletter, issue: Issue) -> Page:
    """Return what is printed of this issue; RenderingFailed names a brief that cannot be."""
    rtl = newsletter.language.split("-")[0].lower() in _RIGHT_TO_LEFT
    return Page(
        name=plain_line(newsletter.name),
        tagline=plain_line(newsletter.tagline),
        language=newsletter.language,
        direction="rtl" if rtl else "ltr",
        start="right" if rtl else "left",
        postal_address=plain_line(newsletter.postal_address),
        date=week_written_out(issue.date) if newsletter.week_of else written_out(issue.date),
        period="this week" if newsletter.week_of else "today",
        note=_editors_note(issue.wording),
        leads=tuple(_story(entry) for entry in issue.entries if entry.lead),
        sections=tuple(_sections(newsletter, issue)),
        tags=_TAGS,
        personal=PERSONAL,
    )


def written_out(day: date) -> str:
    """Return a date as a reader would say it: "Monday, 23 November 2026"."""
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def week_written_out(last: date) -> str:
    """Return the seven days that end with this one: "22–28 November 2026"."""
    first = last - timedelta(days=6)
    if first.year != last.year:
        return f"{first.day} {first:%B} {first.year} – {last.day} {last:%B} {last.year}"
    if first.month != last.month:
        return f"{first.day} {first:%B} – {last.day} {last:%B} {last.year}"
    return f"{first.day}–{last.day} {last:%B} {last.year}"


def _editors_note(wording: Wording) -> EditorsNote | None:
    if not plain_line(wording.note):
        return None
    parts = (
        NotePart(text=_spaced(part.text), url=web_url(part.url))
        for part in note_parts(wording.note)
    )
    return EditorsNote(label=_NOTE_LABELS[wording.note_kind], parts=tuple(parts))


def _spaced(text: str) -> str:
    """Return a part of a line as it can be set, with the spaces that part it from the others."""
    before, after = (" " if edge.isspace() else "" for edge in (text[:1], text[-1:]))
    return f"{before}{plain_line(text)}{after}" if text.strip() else " "


def _sections(newsletter: Newsletter, issue: Issue) -> Iterator[Section]:
    rest = [entry for entry in issue.entries if not entry.lead]
    for entry in rest:
        if not entry.topics or entry.section not in newsletter.topic_slugs:
            reason = f"stands under no topic of {newsletter.slug}"
            raise RenderingFailed(f"brief {entry.brief_id} {reason}")
    for topic in newsletter.topics:
        stories = tuple(_story(entry) for entry in rest if entry.section == topic.slug)
        if stories:
            title = plain_line(topic.title)
            yield Section(piece=f"topic:{topic.slug}", title=title, stories=stories)


def _story(entry: IssueEntry) -> Story:
    brief = entry.brief
    if brief.verification not in LABELS:
        raise RenderingFailed(f"brief {entry.brief_id} is unverified and is never printed")
    title = plain_line(brief.title)
    return Story(
        brief_id=entry.brief_id,
        piece=piece_of(entry.brief_id),
        title=title,
        short=shorten(title, _CONTENTS_WIDTH),
        summary=plain_line(brief.summary),
        why=plain_line(brief.why),
        label=LABELS[brief.verification],
        verified=brief.verification is Verification.VERIFIED,
        source=plain_line(brief.source.name),
        url=web_url(brief.source.url),
        minutes=brief.minutes,
    )
