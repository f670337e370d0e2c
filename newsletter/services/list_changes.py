"""What became of a newsletter's list since a moment, such as its latest issue."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.core.publication import Newsletter
from subscribers.health.changes import ListChangeCounts
from subscribers.health.model import ListChange


@dataclass(eq=False)
class ListChanges:
    """Says who joined a newsletter's list and who left it; a digest's list is its newsletter's."""

    counts: ListChangeCounts

    def since(self, newsletter: Newsletter, moment: datetime) -> ListChange:
        return self.counts.since(newsletter.readers.newsletter, moment)
