"""Lets the letters of old issues go: their sums and results stay, who got them does not."""

from collections.abc import Collection
from dataclasses import dataclass

from newsletter.ports import Clock
from newsletter.stores.letter_release import LetterReleaseStore


@dataclass(eq=False)
class LetterReleases:
    """Keeps the sums of issues for good before their deliveries and events are dropped."""

    store: LetterReleaseStore
    clock: Clock

    def summarize(self, issue_ids: Collection[int]) -> tuple[int, ...]:
        """Keep what is needed of all these issues, or return those that are still open.

        With an open one nothing is kept, and nothing may be dropped: its letters may yet be sent,
        or a person has to say what became of them. Issues that were never planned do not matter.
        """
        return self.store.summarize(issue_ids, self.clock.now())
