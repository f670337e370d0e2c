"""What became of an issue's letters, and how its newsletter has done lately."""

from dataclasses import dataclass

from newsletter.core.publication import Newsletter
from newsletter.core.results import IssueResults, ResultLine
from newsletter.core.stored import StoredIssue
from newsletter.ports import Clock
from newsletter.stores.results import ResultStore

TREND = 30  #: issues


@dataclass(eq=False)
class Results:
    """Reports results from counters, which move as events come."""

    store: ResultStore
    clock: Clock

    def of(self, stored: StoredIssue) -> IssueResults:
        """Return what became of an issue's letters so far."""
        return self.store.of(stored.id)

    def still_coming_in(self, results: IssueResults) -> bool:
        """Return whether events are expected to move these figures yet."""
        return results.still_coming_in(self.clock.now())

    def trend(self, newsletter: Newsletter) -> tuple[ResultLine, ...]:
        """Return the issues that left last, the newest first."""
        return self.store.latest(newsletter.slug, TREND)
