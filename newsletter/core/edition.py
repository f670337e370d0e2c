"""Edition: an issue seen through a topic set, and the letter cut from the galley for it.

See docs/decisions/edition-tags-and-recipient-tags.md.
"""

import hashlib
import html
from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.core.brief import reading_minutes
from newsletter.core.galley import PERSONAL, Galley, cut, piece_of, plain_line
from newsletter.core.issue import Issue
from newsletter.core.wording import PREHEADER_LENGTH, SUBJECT_LENGTH
from subscribers.model import TopicSet

# What depends on the edition and is too small to be a piece. No spaces: premailer and SendGrid
# both leave such tags alone, in text and in links.
SUBJECT = "-nl_subject-"
PREHEADER = "-nl_preheader-"
STORY_COUNT = "-nl_story_count-"  #: "1 story", "12 stories"
MINUTES = "-nl_minutes-"  #: "5 min read"
VIEW_URL = "-nl_view_url-"
EDITION_TAGS = (SUBJECT, PREHEADER, STORY_COUNT, MINUTES, VIEW_URL)

# What depends on the recipient; SendGrid substitutes it (strings, escaped by us per part).
UNSUBSCRIBE_URL = "-nl_unsubscribe_url-"
PREFERENCES_URL = "-nl_preferences_url-"
ADDRESS_HTML = "-nl_address_html-"
ADDRESS_TEXT = "-nl_address_text-"
RECIPIENT_TAGS = (UNSUBSCRIBE_URL, PREFERENCES_URL, ADDRESS_HTML, ADDRESS_TEXT)


@dataclass(frozen=True, kw_only=True)
class Edition:
    """The briefs one topic set chooses from an issue, and what the letter says of them."""

    key: str  #: equal for every topic set that chooses the same briefs of the same issue
    brief_ids: tuple[int, ...]  #: in the issue's order, at least one
    subject: str
    preheader: str
    minutes: int

    @property
    def story_count(self) -> str:
        count = len(self.brief_ids)
        return "1 story" if count == 1 else f"{count} stories"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """An edition composed: what every recipient of it gets, but for the recipient tags."""

    subject: str
    html: str
    text: str


def edition_for(issue: Issue, topics: TopicSet) -> Edition | None:
    """Return the edition of a topic set; None when it chooses nothing of the issue."""
    chosen = [entry.brief_id for entry in issue.entries if topics.chooses(entry.topics)]
    return edition_of(issue, chosen) if chosen else None


def edition_of(issue: Issue, brief_ids: Iterable[int]) -> Edition:
    """Return the edition that prints just these briefs; LookupError if one is not in the issue."""
    wanted = frozenset(brief_ids)
    part = issue.only(wanted)
    ids = tuple(entry.brief_id for entry in part.entries)
    if not wanted:
        raise LookupError("an edition prints at least one brief")
    if wanted.difference(ids):
        raise LookupError(f"not in this issue: {sorted(wanted.difference(ids))}")
    subject, line = _inbox_line(issue, part)
    return Edition(
        key=edition_key(issue, ids),
        brief_ids=ids,
        subject=subject,
        preheader=line,
        minutes=reading_minutes(sum(entry.brief.words for entry in part.entries)),
    )


def edition_key(issue: Issue, ids: Iterable[int]) -> str:
    """Return the key of the edition that prints just these briefs, in the issue's order."""
    choice = f"{issue.newsletter}/{issue.date}/{','.join(map(str, ids))}"
    return hashlib.sha256(choice.encode()).hexdigest()[:16]


def topics_of_key(issue: Issue, key: str, choices: Iterable[TopicSet]) -> TopicSet | None:
    """Return the first of these choices that leads to the edition of this key, if one does."""
    seen: set[tuple[int, ...]] = set()
    for topics in choices:
        ids = tuple(one.brief_id for one in issue.entries if topics.chooses(one.topics))
        if ids and ids not in seen and edition_key(issue, ids) == key:
            return topics
        seen.add(ids)
    return None


def holds_promise(issue: Issue, brief_ids: Iterable[int]) -> bool:
    """Return whether these briefs hold the story that the issue's own subject promises."""
    about = issue.wording.about
    return (issue.entries[0].brief_id if about is None else about) in brief_ids


def _inbox_line(issue: Issue, part: Issue) -> tuple[str, str]:
    """Return subject and preheader: the issue's own where its story is printed, else its own.

    A subject never promises a story that its reader does not get.
    """
    first, wording = part.entries[0], issue.wording
    holds = holds_promise(issue, [entry.brief_id for entry in part.entries])
    own = plain_line(wording.subject) if holds else ""
    about = wording.about if own and wording.about is not None else first.brief_id
    others = [plain_line(e.brief.title) for e in part.entries if e.brief_id != about]
    line = plain_line(wording.preheader) if holds else ""
    short = shorten(plain_line(first.short_line or first.brief.title), SUBJECT_LENGTH)
    return own or short, line or preheader(others)


def whole_edition(issue: Issue) -> Edition:
    return edition_of(issue, (entry.brief_id for entry in issue.entries))


def shorten(text: str, limit: int) -> str:
    """Return the text within so many characters, cut between words, an ellipsis for the rest."""
    if len(text) <= limit:
        return text
    whole_words = text[:limit].rpartition(" ")[0] or text[: limit - 1]
    return whole_words.rstrip(" ,;:.–—-") + "…"


def preheader(titles: list[str]) -> str:
    """Return the line an inbox shows after the subject: the next stories, never the first again."""
    if not titles:
        return "One story, and that is all."
    if len(titles) == 1:
        return shorten(f"Also: {titles[0]}", PREHEADER_LENGTH)
    more = len(titles) - 2
    tail = f" and {more} more" if more else ""
    width = (PREHEADER_LENGTH - len(tail) - 2) // 2
    return "; ".join(shorten(title, width) for title in titles[:2]) + tail


def compose(galley: Galley, edition: Edition, *, view_url: str, personal: bool = True) -> Letter:
    """Cut the edition's letter from the galley.

    `personal` is false for the public view of an edition, which leaves out all that names a
    recipient.
    """
    chosen = {piece_of(brief_id) for brief_id in edition.brief_ids}
    if personal:
        chosen.add(PERSONAL)
    values = {
        SUBJECT: edition.subject,
        PREHEADER: edition.preheader,
        STORY_COUNT: edition.story_count,
        MINUTES: f"{edition.minutes} min read",
        VIEW_URL: view_url,
    }
    escaped = {tag: html.escape(value) for tag, value in values.items()}
    return Letter(
        subject=edition.subject,
        html=cut(galley.html, chosen, escaped),
        text=cut(galley.text, chosen, values),
    )
