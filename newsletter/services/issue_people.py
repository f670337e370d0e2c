"""Who is behind each number of an issue, a page at a time."""

from dataclasses import dataclass

from newsletter.core.issue_people import IssueGroup, PeoplePage
from newsletter.core.stored import StoredIssue
from newsletter.stores.issue_people import IssuePeopleStore


@dataclass(eq=False)
class IssuePeople:
    """Finds the readers behind a number; the pages hold addresses, and need their permission."""

    store: IssuePeopleStore

    def page(
        self,
        stored: StoredIssue,
        group: IssueGroup,
        *,
        reason: str | None = None,
        cursor: str | None = None,
    ) -> PeoplePage:
        """Return some readers behind a number, from a page's cursor on.

        `reason` narrows the excluded. A page may be short, and have another one after it.
        """
        match group:
            case IssueGroup.EXCLUDED | IssueGroup.NOTHING:
                nothing = group is IssueGroup.NOTHING
                return self.store.excluded(stored.id, reason, cursor, nothing=nothing)
            case IssueGroup.LEFT:
                return self.store.left(stored.id, cursor)
            case _:
                return self.store.deliveries(stored.id, group, cursor)
