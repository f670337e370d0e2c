"""Who is behind each number of an issue, a page at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.core.issue_people import IssueGroup, IssuePerson, IssueReading, PeoplePage
from newsletter.core.letter_release import LetterRelease
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotFound
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issue_people import IssuePeopleStore
from newsletter.stores.letter_release import LetterReleaseStore

_LISTED = 5_000  #: readers looked up at once, where all of them are wanted


@dataclass(eq=False)
class IssuePeople:
    """Finds the readers behind a number; the pages hold addresses, and need their permission."""

    store: IssuePeopleStore
    releases: LetterReleaseStore
    decisions: DecisionLog

    def release_of(self, stored: StoredIssue) -> LetterRelease | None:
        """Return since when nobody knows any longer who got an issue; None while it is known."""
        return self.releases.release_of(stored.id)

    def all(
        self, stored: StoredIssue, group: IssueGroup | IssueReading, *, actor: str
    ) -> Iterator[IssuePerson]:
        """Return all readers behind a number, but those erased; the log says who asked.

        Raises NotFound where it is no longer known.
        """
        if released := self.release_of(stored):
            raise NotFound(f"{released.sentence} Who is behind them is no longer known.")
        detail = {"group": group.value}
        self.decisions.record(actor, f"issue {stored.id}", "list readers", detail)
        return self._walk(stored, group)

    def _walk(self, stored: StoredIssue, group: IssueGroup | IssueReading) -> Iterator[IssuePerson]:
        cursor = None
        while True:
            page = self._part(stored, group, cursor)
            yield from (one for one in page.people if one.email)
            if (cursor := page.cursor) is None:
                return

    def _part(
        self, stored: StoredIssue, group: IssueGroup | IssueReading, cursor: str | None
    ) -> PeoplePage:
        match group:
            case IssueGroup.EXCLUDED | IssueGroup.NOTHING:
                nothing = group is IssueGroup.NOTHING
                return self.store.excluded(stored.id, None, cursor, _LISTED, nothing=nothing)
            case IssueGroup.LEFT:
                return self.store.left(stored.id, cursor, _LISTED)
            case _:
                return self.store.deliveries(stored.id, group, cursor, _LISTED)

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
