"""The figures of an issue that is leaving, cheap enough for many pages to ask every two seconds."""

from dataclasses import dataclass

from newsletter.core.leaving import LeavingFigures
from newsletter.core.stored import IssueProgress, StoredIssue
from newsletter.ports import Clock
from newsletter.stores.issue_figures import IssueFigureStore


@dataclass(eq=False)
class IssueFigures:
    """Says how far an issue has come, from counters."""

    store: IssueFigureStore
    clock: Clock

    def leaving(self, stored: StoredIssue | IssueProgress) -> LeavingFigures:
        """Return the figures of an issue, and the batches that were requested last."""
        return self.store.leaving(stored.id, self.clock.now())
