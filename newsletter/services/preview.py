"""Previews a letter before it is sent, as whom and in whatever light one likes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property, partial
from typing import NamedTuple

from newsletter.core.color_scheme import ColorScheme, in_scheme
from newsletter.core.delivery import Recipient
from newsletter.core.difference import Difference, differences
from newsletter.core.edition import (
    PREFERENCES_URL,
    UNSUBSCRIBE_URL,
    Edition,
    Letter,
    edition_for,
    topics_of_key,
    whole_edition,
)
from newsletter.core.forecast import Forecast
from newsletter.core.galley import PERSONAL, piece_of, sizer
from newsletter.core.inbox_line import InboxLine, inbox_line
from newsletter.core.letter_size import NOBODY
from newsletter.core.mailing import (
    Envelope,
    Personal,
    as_received,
    envelope_of,
    personal,
    personalized,
)
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotFound
from newsletter.ports import Clock
from newsletter.services.publishing import Publishing
from newsletter.stores.issue_history import IssueHistory
from subscribers.model import EVERYTHING, Subscription, TopicSet
from subscribers.subscriptions.service import Subscriptions

_EVERYTHING = TopicSet(frozenset({EVERYTHING}))


class ReaderLinks(StrEnum):
    """Where a preview's links to unsubscribe and to change topics lead."""

    NONE = "none"  #: nowhere: each is `#`
    NOBODY = "nobody"  #: to a page that says that the link is not valid
    OWN = "own"  #: to the reader's own page: for who may act in their place


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One letter as it would be sent now."""

    edition: Edition
    topics: TopicSet  #: a choice that leads to it
    composed: Letter  #: as it is handed to SendGrid, the recipient tags still in it
    letter: Letter  #: as it is received, a recipient's values in it
    headers: dict[str, str]  #: those of the newsletter and those of the recipient
    make_eml: Callable[[], bytes]
    inbox: InboxLine
    content_hash: str  #: of the issue it is cut from: what an approval names

    @cached_property
    def eml(self) -> bytes:
        """Return the message file, which few who look at a letter ask for."""
        return self.make_eml()

    def page(self, scheme: ColorScheme = ColorScheme.LIGHT) -> str:
        """Return the HTML in a color scheme; phone and desktop are the same bytes."""
        return in_scheme(self.letter.html, scheme)


@dataclass(frozen=True, kw_only=True)
class NotablePreviews:
    """The letters that go wrong first, to be seen side by side; they may be the same one."""

    smallest: Preview  #: the shortest
    longest: Preview
    largest: Preview  #: of the edition with most readers


class _Persona(NamedTuple):
    """As whom a letter is looked at."""

    topics: TopicSet
    reader: Recipient = NOBODY
    links: ReaderLinks = ReaderLinks.NONE


@dataclass(eq=False)
class Previews:
    """Composes the letter that would be sent now, as a page and as a message file."""

    publishing: Publishing
    subscriptions: Subscriptions
    history: IssueHistory
    base_url: str
    to_eml: Callable[[Envelope, Letter, Recipient, datetime], bytes]
    clock: Clock

    def everything(
        self, newsletter: Newsletter, on: date, *, links: ReaderLinks = ReaderLinks.NONE
    ) -> Preview:
        """Return the letter that prints the whole issue."""
        return self._as(newsletter, on, _Persona(_EVERYTHING, links=links))

    def for_topics(
        self,
        newsletter: Newsletter,
        on: date,
        topics: Sequence[str],
        *,
        links: ReaderLinks = ReaderLinks.NOBODY,
    ) -> Preview:
        """Return the letter of readers who chose these topics; none means all of them."""
        for slug in topics:
            newsletter.topic(slug)
        return self._as(newsletter, on, _Persona(TopicSet.of(topics), links=links))

    def for_edition(
        self, newsletter: Newsletter, on: date, key: str, *, links: ReaderLinks = ReaderLinks.NONE
    ) -> Preview:
        """Return the letter of an edition; NotFound if no choice of topics leads to it now."""
        stored = self.publishing.proof(newsletter, on)
        choices = (_EVERYTHING, *self.subscriptions.topic_sets())
        topics = topics_of_key(stored.issue, key, choices)
        edition = edition_for(stored.issue, topics) if topics else None
        if topics is None or edition is None:
            raise NotFound(f"there is no edition {key} of {on}: its stories changed since")
        return self._preview(newsletter, stored, edition, _Persona(topics, links=links))

    def for_email(
        self, newsletter: Newsletter, on: date, email: str, *, links: ReaderLinks = ReaderLinks.NONE
    ) -> Preview:
        """Return a reader's letter; unless their own links are asked for, with nobody's."""
        one = self._subscription(newsletter, email)
        reader = NOBODY._replace(email=one.email)
        if links is ReaderLinks.OWN:
            reader = Recipient(0, one.email, one.id, one.link_key)
        return self._as(newsletter, on, _Persona(one.topics, reader, links))

    def notable(self, newsletter: Newsletter, on: date, found: Forecast) -> NotablePreviews:
        """Return the smallest, the longest and the largest edition of a forecast."""
        stored = self.publishing.proof(newsletter, on)
        if not found.editions:
            raise NotFound(f"nobody would get a letter of {on}")
        size = letter_sizer(stored)
        by_size = [one.topics for one in sorted(found.editions, key=lambda one: size(one.edition))]
        largest = found.editions[0].topics
        smallest, longest, largest = (
            self._as(newsletter, on, _Persona(topics))
            for topics in (by_size[0], by_size[-1], largest)
        )
        return NotablePreviews(smallest=smallest, longest=longest, largest=largest)

    def last_inbox(self, newsletter: Newsletter, on: date) -> InboxLine | None:
        """Return what the inbox showed of the issue before; None if there was none."""
        last = self._last(newsletter, on)
        return inbox_line(newsletter, whole_edition(last.issue)) if last else None

    def since_last(
        self, newsletter: Newsletter, on: date, preview: Preview
    ) -> tuple[Difference, ...]:
        """Return what changed since the issue before, as readers of the same topics got it."""
        return self.since(preview, self._last(newsletter, on))

    def since(self, preview: Preview, earlier: StoredIssue | None) -> tuple[Difference, ...]:
        """Return what changed since an earlier state of an issue, such as the approved one."""
        before = earlier and edition_for(earlier.issue, preview.topics)
        text = self.publishing.letter(earlier, before).text if earlier and before else ""
        return differences(text, preview.composed.text)

    def _last(self, newsletter: Newsletter, on: date) -> StoredIssue | None:
        last = self.history.before(newsletter.slug, on)
        return None if last is None else self.publishing.issues.get(last)

    def _subscription(self, newsletter: Newsletter, email: str) -> Subscription:
        for one in self.subscriptions.by_email(email):
            if one.newsletter == newsletter.readers.newsletter:
                return one
        raise NotFound(f"{email} has no subscription to {newsletter.readers.newsletter}")

    def _as(self, newsletter: Newsletter, on: date, persona: _Persona) -> Preview:
        stored, topics = self.publishing.proof(newsletter, on), persona.topics
        edition = edition_for(stored.issue, topics)
        if edition is None:
            chosen = "any topic" if EVERYTHING in topics.slugs else ", ".join(sorted(topics.slugs))
            raise NotFound(f"nothing in the issue of {on} is about {chosen}: no letter is sent")
        return self._preview(newsletter, stored, edition, persona)

    def _preview(
        self, newsletter: Newsletter, stored: StoredIssue, edition: Edition, persona: _Persona
    ) -> Preview:
        topics, reader, links = persona
        envelope = envelope_of(newsletter, self.base_url)
        letter = self.publishing.letter(stored, edition)
        own = personal(envelope, reader)
        values = _without_links(own) if links is ReaderLinks.NONE else own
        shown = personalized(letter, values)
        return Preview(
            edition=edition,
            topics=topics,
            composed=letter,
            letter=replace(shown, html=as_received(shown.html)),
            headers=envelope.headers | own.headers,
            make_eml=partial(self.to_eml, envelope, letter, reader, self.clock.now()),
            inbox=inbox_line(newsletter, edition),
            content_hash=stored.content_hash or "",
        )


def letter_sizer(stored: StoredIssue) -> Callable[[Edition], int]:
    """Return what measures the HTML an edition prints, nearly: before its values are put in."""
    size = sizer(stored.need_galley().html)

    def of(edition: Edition) -> int:
        return size({PERSONAL, *map(piece_of, edition.brief_ids)})

    return of


def _without_links(own: Personal) -> Personal:
    return replace(own, values=own.values | {UNSUBSCRIBE_URL: "#", PREFERENCES_URL: "#"})
