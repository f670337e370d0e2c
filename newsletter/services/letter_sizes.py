"""Measures the editions of an issue before Gmail does."""

from dataclasses import dataclass

from newsletter.core.edition import Edition, compose, edition_for, whole_edition
from newsletter.core.letter_size import NEARLY_CLIPPED, EditionSize, size_of
from newsletter.core.mailing import Links, envelope_of
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from subscribers.subscriptions.service import Subscriptions


@dataclass(eq=False)
class LetterSizes:
    """Says which editions of an issue are too large, or nearly so."""

    subscriptions: Subscriptions
    base_url: str

    def large(self, newsletter: Newsletter, stored: StoredIssue) -> tuple[EditionSize, ...]:
        """Return the editions of any reader's choice over 90 kB, the largest first.

        None is larger than the one that prints everything, so mostly nothing else is looked at.
        """
        if stored.galley is None or not stored.issue.entries:
            return ()
        if self._size(newsletter, stored, whole_edition(stored.issue)).bytes <= NEARLY_CLIPPED:
            return ()
        choices = (edition_for(stored.issue, one) for one in self.subscriptions.topic_sets())
        editions = {one.key: one for one in choices if one}
        sizes = (self._size(newsletter, stored, one) for one in editions.values())
        large = (one for one in sizes if one.is_large)
        return tuple(sorted(large, key=lambda one: -one.bytes))

    def _size(self, newsletter: Newsletter, stored: StoredIssue, edition: Edition) -> EditionSize:
        view = Links(self.base_url).view(stored.issue.newsletter, stored.issue.date, edition)
        letter = compose(stored.need_galley(), edition, view_url=view)
        return size_of(envelope_of(newsletter, self.base_url), edition, letter)
