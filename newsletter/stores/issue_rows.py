"""An issue's rows, read and written within somebody's transaction."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select, update

from newsletter.core.draft_changes import contents_of
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.stored import IssueStatus, StoredIssue, segment_of
from newsletter.errors import NotFound
from newsletter.stores.tables import DraftRow, IssueBriefRow, IssueRow


def get_issue(session: Session, issue_id: int) -> StoredIssue:
    """Return the issue of this id; NotFound if there is none."""
    row = session.get(IssueRow, issue_id)
    if row is None:
        raise NotFound(f"there is no issue {issue_id}")
    return stored_issue(session, row)


def write_draft(
    session: Session, issue: Issue, edits_revision: int, values: dict[str, Any]
) -> int | None:
    """Write a draft in place of an earlier one that was edited so often; return its number.

    None if it was edited meanwhile, or is frozen.
    """
    printed = bool(issue.entries)
    values = values | {
        "number": issue.number if printed else None,
        "state": IssueStatus.DRAFT if printed else IssueStatus.EMPTY,
        "reason": None if printed else "no accepted brief to print",
    }
    is_open = col(IssueRow.state).in_([one for one in IssueStatus if one.is_open])
    unchanged = is_open & (col(IssueRow.edits_revision) == edits_revision)
    this = {"newsletter": issue.newsletter, "date": issue.date}
    again = update(IssueRow).filter_by(**this).where(unchanged).values(**values)
    upsert = (
        insert(IssueRow)
        .values(**this, **values)
        .on_conflict_do_update(index_elements=list(this), set_=values, where=unchanged)
    )
    # An upsert uses up a number also where it updates; partitions go by numbers.
    updated = session.exec(again.returning(col(IssueRow.id))).scalar()
    return updated or session.exec(upsert.returning(col(IssueRow.id))).scalar()


def write_entries(
    session: Session, issue_id: int, issue: Issue, content_hash: str | None, now: datetime
) -> None:
    """Write the briefs of a draft in place of the former ones, and remember it by its hash."""
    session.exec(delete(IssueBriefRow).where(col(IssueBriefRow.issue_id) == issue_id))
    session.add_all(_placed(issue_id, issue))
    if content_hash is not None:
        contents = contents_of(issue)
        draft = {"issue_id": issue_id, "content_hash": content_hash, "contents": contents}
        session.exec(insert(DraftRow).values(**draft, at=now).on_conflict_do_nothing())


def _placed(issue_id: int, issue: Issue) -> list[IssueBriefRow]:
    return [
        IssueBriefRow(
            issue_id=issue_id,
            position=position,
            newsletter=issue.newsletter,
            brief_id=entry.brief_id,
            revision=entry.revision,
            content=entry.brief,
            topics=list(entry.topics),
            lead=entry.lead,
        )
        for position, entry in enumerate(issue.entries)
    ]


def read_issue(session: Session, row: IssueRow) -> Issue:
    """Return an issue's stories in their order, and its own words; its type is not read."""
    return _issue(row, _places(session, [row])[row.id])


def _places(session: Session, found: Collection[IssueRow]) -> dict[int, list[IssueBriefRow]]:
    """Read the stories of these issues at once, each issue's in their order."""
    places: dict[int, list[IssueBriefRow]] = {row.id: [] for row in found}
    printed = (
        select(IssueBriefRow)
        .where(col(IssueBriefRow.issue_id).in_(places))
        .order_by(col(IssueBriefRow.issue_id), col(IssueBriefRow.position))
    )
    for one in session.exec(printed):
        places[one.issue_id].append(one)
    return places


def _issue(row: IssueRow, places: Iterable[IssueBriefRow]) -> Issue:
    entries = tuple(
        IssueEntry(
            brief_id=one.brief_id,
            revision=one.revision,
            brief=one.content,
            topics=tuple(one.topics),
            lead=one.lead,
            short_line=row.edits.short_lines.get(one.brief_id, ""),
        )
        for one in places
    )
    return Issue(
        newsletter=row.newsletter,
        date=row.date,
        number=row.number or 0,
        entries=entries,
        wording=row.edits.wording,
    )


def stored_issue(session: Session, row: IssueRow) -> StoredIssue:
    """Return an issue with its briefs in their order."""
    return _stored(row, read_issue(session, row))


def stored_issues(session: Session, found: Collection[IssueRow]) -> tuple[StoredIssue, ...]:
    """Return these issues in this order, their briefs read at once."""
    places = _places(session, found)
    return tuple(_stored(row, _issue(row, places[row.id])) for row in found)


def _stored(row: IssueRow, issue: Issue) -> StoredIssue:
    return StoredIssue(
        id=row.id,
        issue=issue,
        state=IssueStatus(row.state),
        reason=row.reason,
        galley=row.galley,
        content_hash=row.content_hash,
        approved_hash=row.approved_hash,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        planned_at=row.planned_at,
        planned_by=row.planned_by,
        paused_by=row.paused_by,
        segment=segment_of(row.segment),
        basis=row.basis,
        edits=row.edits,
        edits_revision=row.edits_revision,
        withdrawn_by=row.withdrawn_by,
        leaves_at=row.leaves_at,
        leaves_by=row.leaves_by,
    )
