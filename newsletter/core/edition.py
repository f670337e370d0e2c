"""Edition: an issue seen through a topic set, and the letter cut from the galley for it.

See docs/decisions/edition-tags-and-recipient-tags.md.
"""

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsletter.core.brief import Verification, reading_minutes
from newsletter.core.galley import (
    LEADS,
    PERSONAL,
    Galley,
    cut,
    picture_piece,
    piece_of,
    plain_line,
    topic_piece,
)
from newsletter.core.issue import Issue
from newsletter.core.web_view import WebView
from newsletter.core.wording import PREHEADER_LENGTH, SUBJECT_LENGTH
from subscribers.model import TopicSet

# What depends on the edition and is too small to be a piece. No spaces: premailer and SendGrid
# both leave such tags alone, in text and in links.
SUBJECT = "-nl_subject-"
PREHEADER = "-nl_preheader-"
STORY_COUNT = "-nl_story_count-"  #: "1 story", "12 stories"
MINUTES = "-nl_minutes-"  #: "5 min read"
LEAD_COUNT = "-nl_lead_count-"  #: "3"; `topic_count` is the tag of a topic's
END_COUNT = "-nl_end_count-"  #: "12 stories, all checked."
LABEL_COUNT = "-nl_label_count-"  #: "9 verified, 3 partly verified."
VIEW_URL = "-nl_view_url-"
SUBSCRIBE_URL = "-nl_subscribe_url-"  #: for whom the letter is passed on to
EDITION_TAGS = (
    SUBJECT, PREHEADER, STORY_COUNT, MINUTES, LEAD_COUNT, END_COUNT, LABEL_COUNT,
    VIEW_URL, SUBSCRIBE_URL,
)  # fmt: skip

# What depends on the recipient; SendGrid substitutes it (strings, escaped by us per part).
UNSUBSCRIBE_URL = "-nl_unsubscribe_url-"
PREFERENCES_URL = "-nl_preferences_url-"
ADDRESS_HTML = "-nl_address_html-"
ADDRESS_TEXT = "-nl_address_text-"
RECIPIENT_TAGS = (UNSUBSCRIBE_URL, PREFERENCES_URL, ADDRESS_HTML, ADDRESS_TEXT)

_SAYS_SOMETHING = 20  #: characters; a shorter beginning of a title is no news


@dataclass(frozen=True, kw_only=True)
class Edition:
    """The briefs one topic set chooses from an issue, and what the letter says of them."""

    key: str  #: equal for every topic set that chooses the same briefs of the same issue
    brief_ids: tuple[int, ...]  #: in the issue's order, at least one
    subject: str
    preheader: str
    minutes: int
    leads: tuple[int, ...]  #: those of the briefs that are printed at the top
    sections: tuple[tuple[str, int], ...]  #: each topic with the number of briefs under it
    verified: int  #: how many are verified; the others are so in part

    @property
    def story_count(self) -> str:
        count = len(self.brief_ids)
        return "1 story" if count == 1 else f"{count} stories"

    @property
    def end_count(self) -> str:
        checked = "checked" if len(self.brief_ids) == 1 else "all checked"
        return f"{self.story_count}, {checked}."

    @property
    def label_count(self) -> str:
        """Return how many stories have which label, as a sentence."""
        partly = len(self.brief_ids) - self.verified
        if self.verified and partly:
            return f"{self.verified} verified, {partly} partly verified."
        label = "verified" if self.verified else "partly verified"
        return f"All are {label}." if len(self.brief_ids) > 1 else f"It is {label}."


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
        minutes=reading_minutes(sum(entry.words for entry in part.entries)),
        leads=tuple(entry.brief_id for entry in part.entries if entry.lead),
        sections=tuple(Counter(e.section for e in part.entries if e.topics and not e.lead).items()),
        verified=sum(e.brief.verification is Verification.VERIFIED for e in part.entries),
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
    others = [plain_line(e.inbox_words) for e in part.entries if e.brief_id != about]
    line = plain_line(wording.preheader) if holds else ""
    return own or whole_part(plain_line(first.inbox_words)), line or preheader(others)


def whole_edition(issue: Issue) -> Edition:
    return edition_of(issue, (entry.brief_id for entry in issue.entries))


def shorten(text: str, limit: int) -> str:
    """Return the text within so many characters, cut between words, an ellipsis for the rest."""
    if len(text) <= limit:
        return text
    whole_words = text[:limit].rpartition(" ")[0] or text[: limit - 1]
    return whole_words.rstrip(" ,;:.–—-") + "…"


def whole_part(title: str) -> str:
    """Return the title, or its first part that says something by itself, if it is too long.

    It is never cut within a sentence: what is left could say something else. Inboxes cut by
    themselves, each at its own width.

    >>> whole_part("Flaw in a TLS library lets a certificate exhaust memory; patches are out")
    'Flaw in a TLS library lets a certificate exhaust memory'
    """
    if len(title) <= SUBJECT_LENGTH:
        return title
    head = re.split(r"(?<=[!?])\s|\.?;\s", title, maxsplit=1)[0]
    return head if len(head) >= _SAYS_SOMETHING else title


def preheader(titles: list[str]) -> str:
    """Return the line an inbox shows after the subject: the next stories, never the first again.

    A story that does not fit as a whole is only counted.
    """
    if not titles:
        return "One story, and that is all."
    for named in (titles[:2], titles[:1]):
        more = len(titles) - len(named)
        line = f"Also: {'; '.join(named)}" + (f"; and {more} more" if more else "")
        if len(line) <= PREHEADER_LENGTH:
            return line
    return shorten(f"Also: {titles[0]}", PREHEADER_LENGTH)


def topic_count(slug: str) -> str:
    """Return the tag for the number of stories under a topic's heading."""
    name = "".join(one if one.isascii() and one.isalnum() else f"_{ord(one):x}_" for one in slug)
    return f"-nl_topic_count_{name}-"


def compose(
    galley: Galley,
    edition: Edition,
    *,
    view_url: str,
    subscribe_url: str = "",
    web: WebView | None = None,
) -> Letter:
    """Cut the edition's letter from the galley.

    With `web` it is the public view, which leaves out all that names a recipient, whose links to
    its own parts stay within the page, and which shows what became of its stories since.
    """
    chosen = frozenset(_pieces(edition))
    chosen = chosen | {PERSONAL} if web is None else web.pieces(chosen, edition.brief_ids)
    values = _values(edition) | {
        VIEW_URL: view_url if web is None else "",
        SUBSCRIBE_URL: subscribe_url,
        **(web.values(edition.brief_ids) if web else {}),
    }
    escaped = {tag: html.escape(value) for tag, value in values.items()}
    return Letter(
        subject=edition.subject,
        html=cut(galley.html, chosen, escaped),
        text=cut(galley.text, chosen, values),
    )


def _pieces(edition: Edition) -> Iterator[str]:
    """Yield what an edition prints: its stories, their headings in the contents, one picture."""
    yield from map(piece_of, edition.brief_ids)
    yield from (topic_piece(slug) for slug, _ in edition.sections)
    if edition.leads:
        yield LEADS
        yield picture_piece(edition.leads[0])


def _values(edition: Edition) -> dict[str, str]:
    return {
        SUBJECT: edition.subject,
        PREHEADER: edition.preheader,
        STORY_COUNT: edition.story_count,
        MINUTES: f"{edition.minutes} min read",
        LEAD_COUNT: str(len(edition.leads)),
        END_COUNT: edition.end_count,
        LABEL_COUNT: edition.label_count,
        **{topic_count(slug): str(count) for slug, count in edition.sections},
    }
