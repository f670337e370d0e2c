"""Previews a letter before it is sent: for readers of some topics, or for one reader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.core.delivery import Recipient
from newsletter.core.edition import Edition, Letter, edition_for
from newsletter.core.mailing import Envelope, envelope_of, personal, personalized
from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.services.publishing import Publishing
from subscribers.model import EVERYTHING, TopicSet
from subscribers.subscriptions.service import Subscriptions

#: Nobody's delivery: such links open nothing.
_NOBODY = Recipient(0, "reader@example.com", subscription_id=0, link_key=bytes(16))


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One reader's letter, and the same as a message file."""

    edition: Edition
    letter: Letter
    eml: bytes


@dataclass(eq=False)
class Previews:
    """Composes the letter that would be sent now, as a page and as a message file."""

    publishing: Publishing
    subscriptions: Subscriptions
    base_url: str
    to_eml: Callable[[Envelope, Letter, Recipient], bytes]

    def for_topics(self, newsletter: Newsletter, on: date, topics: Sequence[str]) -> Preview:
        """Return the letter of readers who chose these topics; none means all of them."""
        for slug in topics:
            newsletter.topic(slug)
        return self._preview(newsletter, on, TopicSet.of(topics), _NOBODY)

    def for_email(self, newsletter: Newsletter, on: date, email: str) -> Preview:
        for one in self.subscriptions.by_email(email):
            if one.newsletter == newsletter.readers.newsletter:
                reader = Recipient(0, one.email, one.id, one.link_key)
                return self._preview(newsletter, on, one.topics, reader)
        raise NotFound(f"{email} has no subscription to {newsletter.readers.newsletter}")

    def _preview(
        self, newsletter: Newsletter, on: date, topics: TopicSet, reader: Recipient
    ) -> Preview:
        stored = self.publishing.proof(newsletter, on)
        edition = edition_for(stored.issue, topics)
        if edition is None:
            chosen = "any topic" if EVERYTHING in topics.slugs else ", ".join(sorted(topics.slugs))
            raise NotFound(f"nothing in the issue of {on} is about {chosen}: no letter is sent")
        envelope = envelope_of(newsletter, self.base_url)
        letter = self.publishing.letter(stored, edition)
        return Preview(
            edition=edition,
            letter=personalized(letter, personal(envelope, reader)),
            eml=self.to_eml(envelope, letter, reader),
        )
