"""What became of a newsletter's list since a moment, such as its latest issue."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.core.publication import Newsletter
from subscribers.health.model import ListChange
from subscribers.health.service import ListHealth


@dataclass(eq=False)
class ListChanges:
    """Says who joined a newsletter's list and who left it; a digest's list is its newsletter's."""

    health: ListHealth

    def since(self, newsletter: Newsletter, moment: datetime) -> ListChange:
        return self.health.changes(newsletter.readers.newsletter, moment)
