"""What a template may print of an issue: clean text, and the names of its pieces.

Templates see nothing else, so that an edited template cannot print anything unescaped or
unverified.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from markupsafe import Markup

from newsletter.core.edition import EDITION_TAGS, RECIPIENT_TAGS, topic_count
from newsletter.core.galley import PERSONAL, plain_line, topic_piece
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.publication import Newsletter
from newsletter.core.timetable import next_date
from newsletter.core.tracking import marked_url
from newsletter.core.web_address import web_url
from newsletter.core.wording import NoteKind, NotePart, Wording, note_parts
from newsletter.errors import RenderingFailed
from newsletter.rendering.story import Marks, Story, story_of
from newsletter.rendering.typefaces import RTL, SIDES, Typefaces, typefaces

_NOTE_LABELS = {NoteKind.NOTE: "A note from the editors.", NoteKind.CORRECTION: "Correction."}
#: Placeholders by the names that templates use for them: `subject` is "-nl_subject-".
_TAGS = {tag[len("-nl_") : -1]: tag for tag in (*EDITION_TAGS, *RECIPIENT_TAGS)}


@dataclass(frozen=True, kw_only=True)
class Section:
    """A topic and the stories under its heading; an edition without these omits it."""

    piece: str
    slug: str  #: of the topic; the part of the page is known by it
    count: str  #: tag of the number of stories under the heading
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
    faces: Typefaces  #: the fonts, direction and line height of the language
    start: str  #: the side a line starts on: "left" or "right"
    ours: str  #: the attribute of sentences that are ours, and in English: " dir=auto" or ""
    postal_address: str
    date: str  #: written out; of a digest, the first and last day of its week
    period: str  #: what the issue covers: "today" or "this week"
    next_issue: str  #: when the next one is due: "on Monday"; empty when the timetable has none
    signup: bool  #: whether others can subscribe
    note: EditorsNote | None
    leads: tuple[Story, ...]
    sections: tuple[Section, ...]  #: in the newsletter's order, none of them empty
    tags: dict[str, str]  #: placeholders for values of the edition or the recipient
    personal: str  #: the piece that names the recipient

    @property
    def stories(self) -> tuple[Story, ...]:
        """Return every story, in the order in which they are printed."""
        return (*self.leads, *(story for part in self.sections for story in part.stories))


def of_one_edition(page: Page) -> Page:
    """Return the page of a letter alone: one picture, and nothing of the web."""
    leads = tuple(
        replace(_offline(one), picture=one.picture if one is page.leads[0] else None)
        for one in page.leads
    )
    sections = (replace(one, stories=tuple(map(_offline, one.stories))) for one in page.sections)
    return replace(page, leads=leads, sections=tuple(sections))


def _offline(story: Story) -> Story:
    """Return the story without what only the web view shows of it."""
    return replace(story, correction=None, page=None)


def page_of(newsletter: Newsletter, issue: Issue) -> Page:
    """Return what is printed of this issue; RenderingFailed names a brief that cannot be."""
    faces = typefaces(newsletter.language)
    marks = newsletter.tracking.marks(newsletter.slug, issue.date)
    story = partial(story_of, direction=faces.direction, marks=marks)
    return Page(
        name=plain_line(newsletter.name),
        tagline=plain_line(newsletter.tagline),
        language=newsletter.language,
        faces=faces,
        start=SIDES[faces.direction],
        ours=Markup(' dir="auto"') if faces.direction == RTL else "",
        postal_address=plain_line(newsletter.postal_address),
        date=week_written_out(issue.date) if newsletter.week_of else written_out(issue.date),
        period="this week" if newsletter.week_of else "today",
        next_issue=_next_issue(newsletter, issue.date),
        signup=newsletter.signup.open,
        note=_editors_note(issue.wording, marks),
        leads=tuple(story(entry) for entry in issue.entries if entry.lead),
        sections=tuple(_sections(newsletter, issue, story)),
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


def _next_issue(newsletter: Newsletter, on: date) -> str:
    """Return when the timetable has the next issue, as words that follow "is due"."""
    following = next_date(newsletter.timetable, on)
    if following is None:
        return ""
    near = following - on < timedelta(days=7)
    return f"on {following:%A}" if near else f"on {following.day} {following:%B}"


def _editors_note(wording: Wording, marks: Marks) -> EditorsNote | None:
    if not plain_line(wording.note):
        return None
    parts = (
        NotePart(text=_spaced(part.text), url=marked_url(web_url(part.url), marks))
        for part in note_parts(wording.note)
    )
    return EditorsNote(label=_NOTE_LABELS[wording.note_kind], parts=tuple(parts))


def _spaced(text: str) -> str:
    """Return a part of a line as it can be set, with the spaces that part it from the others."""
    before, after = (" " if edge.isspace() else "" for edge in (text[:1], text[-1:]))
    return f"{before}{plain_line(text)}{after}" if text.strip() else " "


def _sections(
    newsletter: Newsletter, issue: Issue, story: Callable[[IssueEntry], Story]
) -> Iterator[Section]:
    rest = [entry for entry in issue.entries if not entry.lead]
    for entry in rest:
        if not entry.topics or entry.section not in newsletter.topic_slugs:
            reason = f"stands under no topic of {newsletter.slug}"
            raise RenderingFailed(f"brief {entry.brief_id} {reason}")
    for topic in newsletter.topics:
        stories = tuple(story(one) for one in rest if one.section == topic.slug)
        if stories:
            title = plain_line(topic.title)
            yield Section(
                piece=topic_piece(topic.slug),
                slug=topic.slug,
                count=topic_count(topic.slug),
                title=title,
                stories=stories,
            )
