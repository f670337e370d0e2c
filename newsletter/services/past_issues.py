"""What earlier issues printed, kept in memory: a planned issue does not change any more."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from newsletter.core.preflight import PastIssue, folded_words
from newsletter.core.publication import Newsletter
from newsletter.stores.issue_history import IssueHistory

_COMPARED = 60  #: of them the last thirty subjects, and enough of each weekday
_WORDS_OF_DAYS = timedelta(days=180)


@dataclass(eq=False)
class PastIssues:
    """Reads each past issue once; what is kept is bounded by the window that is asked for."""

    history: IssueHistory
    _past: dict[str, dict[int, PastIssue]] = field(default_factory=dict[str, dict[int, PastIssue]])
    _words: dict[str, tuple[frozenset[int], frozenset[str]]] = field(
        default_factory=dict[str, tuple[frozenset[int], frozenset[str]]]
    )
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def compared(self, newsletter: Newsletter, on: date) -> tuple[PastIssue, ...]:
        """Return the latest issues that were planned before a date, the newest first."""
        ids = self.history.planned(newsletter.slug, on, most=_COMPARED)
        with self._reading:
            known = self._past.get(newsletter.slug, {})
            read = self.history.past([one for one in ids if one not in known])
            kept = {one: known.get(one) or read[one] for one in ids}
            self._past[newsletter.slug] = kept
        return tuple(kept.values())

    def words(self, newsletter: Newsletter, on: date) -> frozenset[str]:
        """Return the words of what was printed in the half-year before a date."""
        ids = frozenset(self.history.planned(newsletter.slug, on, since=on - _WORDS_OF_DAYS))
        with self._reading:
            known, words = self._words.get(newsletter.slug, (frozenset[int](), frozenset[str]()))
            if ids != known:
                words = self._read_words(ids)
                self._words[newsletter.slug] = ids, words
        return words

    def _read_words(self, ids: Iterable[int]) -> frozenset[str]:
        return frozenset(word for said in self.history.said(ids) for word in folded_words(said))
