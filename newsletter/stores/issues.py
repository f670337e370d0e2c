"""Issues and the briefs they print: one issue per newsletter and date, by constraint."""

import logging
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, func, select, update

from newsletter.core.delivery import BatchState
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.stored import IssueStatus, StoredIssue, segment_of
from newsletter.errors import NotAllowed, NotFound
from newsletter.stores.tables import BatchRow, EditionRow, IssueBriefRow, IssueRow
from subscribers.db.transaction import DatabaseStore, transaction

_log = logging.getLogger(__name__)

#: The columns of an issue whose approval is void.
UNAPPROVED = dict.fromkeys(("content_hash", "approved_hash", "approved_by", "approved_at"))


class IssueStore(DatabaseStore):
    """Stores each issue with its entries, its galley and its approval."""

    def find(self, newsletter: str, on: date) -> StoredIssue | None:
        found = select(IssueRow).where(IssueRow.newsletter == newsletter, IssueRow.date == on)
        with transaction(self._engine) as session:
            row = session.exec(found).first()
            return _stored(session, row) if row else None

    def get(self, issue_id: int) -> StoredIssue:
        """Return the issue of this id; NotFound if there is none."""
        with transaction(self._engine) as session:
            return _get(session, issue_id)

    def next_number(self, newsletter: str) -> int:
        last = select(func.max(IssueRow.number)).where(IssueRow.newsletter == newsletter)
        with transaction(self._engine) as session:
            return (session.exec(last).one() or 0) + 1

    def save_draft(
        self, issue: Issue, galley: Galley | None, content_hash: str | None, now: datetime
    ) -> StoredIssue:
        """Store a draft in place of an earlier draft; NotAllowed once the issue is frozen."""
        values: dict[str, Any] = {
            "number": issue.number if issue.entries else None,
            "state": IssueStatus.DRAFT if issue.entries else IssueStatus.EMPTY,
            "reason": None if issue.entries else "no accepted brief to print",
            "galley": galley,
            "content_hash": content_hash,
            "assembled_at": now,
        }
        upsert = (
            insert(IssueRow)
            .values(newsletter=issue.newsletter, date=issue.date, **values)
            .on_conflict_do_update(
                index_elements=["newsletter", "date"],
                set_=values,
                where=col(IssueRow.state).in_([one for one in IssueStatus if one.is_open]),
            )
            .returning(col(IssueRow.id))
        )
        with transaction(self._engine) as session:
            issue_id = session.exec(upsert).scalar()
            if issue_id is None:
                raise NotAllowed(f"the issue of {issue.date} is frozen: it was approved")
            session.exec(delete(IssueBriefRow).where(col(IssueBriefRow.issue_id) == issue_id))
            session.add_all(_placed(issue_id, issue))
            stored = _get(session, issue_id)
        extra = {"action": "issue.assembled", "issue": stored.id, "state": stored.state}
        words = (issue.newsletter, issue.date, len(issue.entries))
        _log.info("%s of %s: %d briefs", *words, extra=extra)
        return stored

    def approve(self, issue_id: int, content_hash: str, by: str, now: datetime) -> StoredIssue:
        """Freeze the issue if it still has this content; NotAllowed if it has another."""
        approval = {"approved_hash": content_hash, "approved_by": by, "approved_at": now}
        freeze = (
            update(IssueRow)
            .where(
                col(IssueRow.id) == issue_id,
                col(IssueRow.state) == IssueStatus.DRAFT,
                col(IssueRow.content_hash) == content_hash,
            )
            .values(state=IssueStatus.APPROVED, **approval)
        )
        with transaction(self._engine) as session:
            if not session.exec(freeze).rowcount:
                raise NotAllowed("the draft changed since it was set: assemble it again")
            stored = _get(session, issue_id)
        _log.info("approved", extra={"action": "issue.approved", "issue": issue_id, "by": by})
        return stored

    def withdraw(self, issue_id: int, reason: str) -> None:
        """Void the approval of an unplanned issue: it is a draft again."""
        with transaction(self._engine) as session:
            _void(session, [issue_id], reason)

    def withdraw_brief(self, brief_id: int, reason: str) -> None:
        """Take a brief out of an unplanned issue, which is thereby a draft again."""
        printing = select(IssueBriefRow.issue_id).where(IssueBriefRow.brief_id == brief_id)
        with transaction(self._engine) as session:
            voided = _void(session, session.exec(printing).all(), reason)
            taken_out = col(IssueBriefRow.issue_id).in_(voided)
            this = col(IssueBriefRow.brief_id) == brief_id
            session.exec(delete(IssueBriefRow).where(this, taken_out))

    def published(self, newsletter: str, limit: int = 100) -> tuple[StoredIssue, ...]:
        """Return the issues that were planned, the newest first, at most so many."""
        found = (
            select(IssueRow)
            .where(IssueRow.newsletter == newsletter, col(IssueRow.planned_at).is_not(None))
            .order_by(col(IssueRow.date).desc())
            .limit(limit)
        )
        with transaction(self._engine) as session:
            return tuple(_stored(session, row) for row in session.exec(found).all())

    def paused(self, newsletter: str) -> tuple[StoredIssue, ...]:
        """Return the issues that wait for somebody to resume them, the oldest first."""
        found = (
            select(IssueRow)
            .where(IssueRow.newsletter == newsletter, IssueRow.state == IssueStatus.PAUSED)
            .order_by(col(IssueRow.date))
        )
        with transaction(self._engine) as session:
            return tuple(_stored(session, row) for row in session.exec(found).all())

    def edition(self, issue_id: int, key: str) -> tuple[int, ...] | None:
        """Return the briefs of a planned edition."""
        found = select(EditionRow).where(EditionRow.issue_id == issue_id, EditionRow.key == key)
        with transaction(self._engine) as session:
            row = session.exec(found).first()
            return tuple(row.brief_ids) if row else None

    def resume(self, issue_id: int, now: datetime) -> None:
        """Let a paused issue's batches be sent again; the circuit breaker counts from here."""
        paused = (col(IssueRow.id) == issue_id, col(IssueRow.state) == IssueStatus.PAUSED)
        # What was tried before waits no longer; what was not may wait for its readers' hour.
        tried = (
            col(BatchRow.issue_id) == issue_id,
            col(BatchRow.state) == BatchState.PLANNED,
            col(BatchRow.attempts) > 0,
        )
        values: dict[str, Any] = {"state": IssueStatus.SENDING, "resumed_at": now}
        values |= dict.fromkeys(("reason", "paused_by", "tripped", "unreached_since"))
        with transaction(self._engine) as session:
            session.exec(update(IssueRow).where(*paused).values(**values))
            session.exec(update(BatchRow).where(*tried).values(not_before=None))
        _log.info("resumed", extra={"action": "issue.resumed", "issue": issue_id})


def _void(session: Session, issue_ids: Iterable[int], reason: str) -> list[int]:
    """Make drafts of those of these issues that were not planned; return which."""
    unplanned = [IssueStatus.DRAFT, IssueStatus.APPROVED]
    voided = session.exec(
        update(IssueRow)
        .where(col(IssueRow.id).in_(issue_ids), col(IssueRow.state).in_(unplanned))
        .values(state=IssueStatus.DRAFT, reason=reason, **UNAPPROVED)
        .returning(col(IssueRow.id))
    )
    return [issue_id for (issue_id,) in voided]


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


def _get(session: Session, issue_id: int) -> StoredIssue:
    row = session.get(IssueRow, issue_id)
    if row is None:
        raise NotFound(f"there is no issue {issue_id}")
    return _stored(session, row)


def _stored(session: Session, row: IssueRow) -> StoredIssue:
    printed = (
        select(IssueBriefRow)
        .where(IssueBriefRow.issue_id == row.id)
        .order_by(col(IssueBriefRow.position))
    )
    entries = tuple(
        IssueEntry(
            brief_id=one.brief_id,
            revision=one.revision,
            brief=one.content,
            topics=tuple(one.topics),
            lead=one.lead,
        )
        for one in session.exec(printed)
    )
    return StoredIssue(
        id=row.id,
        issue=Issue(
            newsletter=row.newsletter, date=row.date, number=row.number or 0, entries=entries
        ),
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
    )
