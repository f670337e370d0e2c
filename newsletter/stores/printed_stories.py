"""Stories of issues that are out, as everybody may read them: what is not out is not found."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from newsletter.core.brief import Brief
from newsletter.core.issue import IssueEntry
from newsletter.core.printed_story import PrintedStoryRecord, Printing, StoryNow
from newsletter.core.verification import Ruling
from newsletter.stores.tables import BriefRevisionRow, BriefRow, IssueBriefRow, IssueRow
from subscribers.db.transaction import DatabaseStore, transaction

#: Printed briefs, each with its issue.
_PRINTED = """
      FROM issue JOIN issue_brief AS place ON place.issue_id = issue.id
      JOIN brief ON brief.id = place.brief_id
     WHERE issue.newsletter = %(newsletter)s AND issue.planned_at IS NOT NULL
"""
#: When what is read of it changed last.
_CHANGED = "greatest(issue.planned_at, brief.revised_at, brief.changed_at)"
_IN_MONTH = "AND issue.date >= %(first)s AND issue.date < %(first)s + interval '1 month'"

_MONTHS = f"""
    SELECT date_trunc('month', issue.date)::date AS month, max({_CHANGED}) AS changed
    {_PRINTED}
     GROUP BY 1 ORDER BY 1
"""

_ISSUES = f"""
    SELECT issue.date, max({_CHANGED}) AS changed {_PRINTED} {_IN_MONTH}
     GROUP BY issue.date ORDER BY issue.date
"""

#: Those that `StoryNow` calls withdrawn are not listed.
_STORIES = f"""
    SELECT place.brief_id, place.content ->> 'title' AS title, {_CHANGED} AS changed
    {_PRINTED} {_IN_MONTH}
       AND brief.held_by IS NULL AND brief.content ->> 'verification' <> 'unverified'
     ORDER BY issue.date, place.position
"""


@dataclass(frozen=True, kw_only=True)
class ListedMonth:
    """A month with issues that are out, and when anything of them changed last."""

    month: date  #: its first day
    changed: datetime


@dataclass(frozen=True, kw_only=True)
class ListedIssue:
    """An issue that is out, and when it or one of its stories changed last."""

    date: date
    changed: datetime


@dataclass(frozen=True, kw_only=True)
class ListedStory:
    """A printed story that was not withdrawn."""

    brief_id: int
    title: str  #: as it was printed
    changed: datetime


class PrintedStoryStore(DatabaseStore):
    """Reads printed stories and what became of them, and writes nothing."""

    def find(self, newsletters: Collection[str], brief_id: int) -> PrintedStoryRecord | None:
        """Return a story that an issue of these newsletters printed; None unless one is out."""
        with transaction(self._engine) as session:
            printings = tuple(_printings(session, newsletters, brief_id))
            if not printings:
                return None
            [now] = _now(session, [brief_id]).values()
            later = tuple(_later(session, printings[0].entry))
            return PrintedStoryRecord(printings=printings, later=later, now=now)

    def now(self, brief_ids: Iterable[int]) -> dict[int, StoryNow]:
        """Return what became of each of these briefs."""
        with transaction(self._engine) as session:
            return _now(session, brief_ids)

    def months(self, newsletter: str) -> tuple[ListedMonth, ...]:
        """Return the months with issues that are out, the oldest first."""
        return tuple(ListedMonth(**one) for one in self._rows(_MONTHS, newsletter=newsletter))

    def issues_of(self, newsletter: str, month: date) -> tuple[ListedIssue, ...]:
        """Return the issues of a month that are out, the oldest first."""
        found = self._rows(_ISSUES, newsletter=newsletter, first=month)
        return tuple(ListedIssue(**one) for one in found)

    def stories_of(self, newsletter: str, month: date) -> tuple[ListedStory, ...]:
        """Return the stories that issues of a month printed, in the order of print."""
        found = self._rows(_STORIES, newsletter=newsletter, first=month)
        return tuple(ListedStory(**one) for one in found)


def _printings(session: Session, newsletters: Collection[str], brief_id: int) -> Iterator[Printing]:
    found = (
        select(IssueBriefRow, IssueRow)
        .join(IssueRow, col(IssueRow.id) == IssueBriefRow.issue_id)
        .where(
            col(IssueBriefRow.newsletter).in_(newsletters),
            IssueBriefRow.brief_id == brief_id,
            col(IssueRow.planned_at).is_not(None),
        )
        .order_by(col(IssueRow.planned_at), col(IssueRow.id))
        .options(defer(cast("Any", IssueRow.galley)), defer(cast("Any", IssueRow.basis)))
    )
    for place, issue in session.exec(found):
        yield Printing(
            newsletter=issue.newsletter,
            date=issue.date,
            number=issue.number or 0,
            planned_at=cast("datetime", issue.planned_at),
            entry=IssueEntry(
                brief_id=place.brief_id,
                revision=place.revision,
                brief=place.content,
                topics=tuple(place.topics),
                lead=place.lead,
            ),
        )


def _later(session: Session, entry: IssueEntry) -> Iterator[tuple[Brief, datetime]]:
    found = (
        select(BriefRevisionRow)
        .where(
            BriefRevisionRow.brief_id == entry.brief_id,
            BriefRevisionRow.revision > entry.revision,
            col(BriefRevisionRow.accepted_at).is_not(None),
        )
        .order_by(col(BriefRevisionRow.revision))
    )
    for row in session.exec(found):
        if row.accepted_at:
            yield row.content, row.accepted_at


def _now(session: Session, brief_ids: Iterable[int]) -> dict[int, StoryNow]:
    found = (
        select(BriefRow, BriefRevisionRow)
        .join(
            BriefRevisionRow,
            (col(BriefRevisionRow.brief_id) == BriefRow.id)
            & (col(BriefRevisionRow.revision) == BriefRow.revision),
        )
        .where(col(BriefRow.id).in_(tuple(brief_ids)))
    )
    return {row.id: _story_now(row, text.accepted_at) for row, text in session.exec(found)}


def _story_now(row: BriefRow, accepted_at: datetime | None) -> StoryNow:
    held = row.held_by is not None
    return StoryNow(
        brief=row.content,
        accepted=row.ruling == Ruling.ACCEPTED.value and not held,
        held=held,
        revised_at=row.revised_at,
        accepted_at=accepted_at,
        decided_at=row.changed_at,
    )
