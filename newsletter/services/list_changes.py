"""What became of a newsletter's list since a moment, such as its latest issue."""

from dataclasses import dataclass
from datetime import date, datetime

from newsletter.core.publication import Newsletter
from subscribers.health.model import ListChange, TopicGrowth
from subscribers.health.service import ListHealth


@dataclass(eq=False)
class ListChanges:
    """Says who joined a newsletter's list and who left it; a digest's list is its newsletter's."""

    health: ListHealth

    def since(self, newsletter: Newsletter, moment: datetime) -> ListChange:
        return self.health.changes(newsletter.readers.newsletter, moment)

    def by_topic(
        self, newsletter: Newsletter, since: date, until: date, *, weekly: bool = False
    ) -> tuple[TopicGrowth, ...]:
        """Return who joined and left each topic, by day or by week."""
        slug = newsletter.readers.newsletter
        return self.health.topic_growth(slug, since, until, weekly=weekly)
