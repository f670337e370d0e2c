"""Issues and the briefs they print: one issue per newsletter and date, by constraint."""

import logging
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, delete, func, select, update

from newsletter.core.delivery import BatchState
from newsletter.core.frozen_issue import IssueBasis
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.issue_changes import ApprovedIssue
from newsletter.core.stored import IssueProgress, IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.stores.issue_rows import (
    get_issue,
    stored_issue,
    stored_issues,
    write_draft,
    write_entries,
)
from newsletter.stores.tables import (
    ApprovalRequestRow,
    ApprovedIssueRow,
    BatchRow,
    EditionRow,
    IssueBriefRow,
    IssueRow,
)
from subscribers.db.read_once import read_once
from subscribers.db.transaction import DatabaseStore, rows, transaction

_log = logging.getLogger(__name__)

#: The columns of an issue whose approval is void.
UNAPPROVED = dict.fromkeys(
    ("content_hash", "approved_hash", "approved_by", "approved_at", "leaves_at", "leaves_by")
)

_PROGRESS = """
SELECT id, state, reason, approved_by, approved_at, planned_at, paused_by, leaves_at, leaves_by
  FROM issue WHERE newsletter = %(newsletter)s AND date = %(on)s
"""


class IssueStore(DatabaseStore):
    """Stores each issue with its entries, its galley and its approval."""

    @read_once
    def find(self, newsletter: str, on: date) -> StoredIssue | None:
        found = select(IssueRow).where(IssueRow.newsletter == newsletter, IssueRow.date == on)
        with transaction(self._engine) as session:
            row = session.exec(found).first()
            return stored_issue(session, row) if row else None

    def progress(self, newsletter: str, on: date) -> IssueProgress | None:
        """Return how the issue of a date stands; neither its stories nor its letter is read."""
        with transaction(self._engine) as session:
            found = rows(session, _PROGRESS, {"newsletter": newsletter, "on": on})
        for row in found:
            state = IssueStatus(row.pop("state"))
            return IssueProgress(state=state, **row)
        return None

    def get(self, issue_id: int) -> StoredIssue:
        """Return the issue of this id; NotFound if there is none."""
        with transaction(self._engine) as session:
            return get_issue(session, issue_id)

    def next_number(self, newsletter: str) -> int:
        last = select(func.max(IssueRow.number)).where(IssueRow.newsletter == newsletter)
        with transaction(self._engine) as session:
            return (session.exec(last).one() or 0) + 1

    def save_draft(
        self,
        issue: Issue,
        galley: Galley | None,
        content_hash: str | None,
        now: datetime,
        *,
        edits_revision: int = 0,
        basis: IssueBasis | None = None,
    ) -> StoredIssue | None:
        """Store a draft in place of an earlier draft; NotAllowed once the issue is frozen.

        `basis` is what it was set by, `edits_revision` counts the edits it was arranged by; None
        if a person edited it meanwhile.
        """
        values = {"galley": galley, "content_hash": content_hash, "assembled_at": now}
        values |= {"basis": basis or IssueBasis()}
        with transaction(self._engine) as session:
            issue_id = write_draft(session, issue, edits_revision, values)
            if issue_id is None:
                _refuse_frozen(session, issue)
                return None
            write_entries(session, issue_id, issue, content_hash, now)
            stored = get_issue(session, issue_id)
        extra = {"action": "issue.assembled", "issue": stored.id, "state": stored.state}
        words = (issue.newsletter, issue.date, len(issue.entries))
        _log.info("%s of %s: %d briefs", *words, extra=extra)
        return stored

    def approve(
        self, issue_id: int, content_hash: str, by: str, now: datetime
    ) -> StoredIssue | None:
        """Freeze the issue if it still has this content; None if it has another."""
        approval = {"approved_hash": content_hash, "approved_by": by, "approved_at": now}
        freeze = (
            update(IssueRow)
            .where(
                col(IssueRow.id) == issue_id,
                col(IssueRow.state) == IssueStatus.DRAFT,
                col(IssueRow.content_hash) == content_hash,
            )
            .values(state=IssueStatus.APPROVED, reason=None, withdrawn_by=None, **approval)
        )
        with transaction(self._engine) as session:
            if not session.exec(freeze).rowcount:
                return None
            stored = get_issue(session, issue_id)
            session.add(_approved(stored, content_hash, by, now))
            answered = col(ApprovalRequestRow.issue_id) == issue_id
            session.exec(delete(ApprovalRequestRow).where(answered))
        _log.info("approved", extra={"action": "issue.approved", "issue": issue_id, "by": by})
        return stored

    @read_once
    def last_approved(self, issue_id: int) -> ApprovedIssue | None:
        """Return what was approved last, whatever became of that; None if nothing ever was."""
        this = col(ApprovedIssueRow.issue_id) == issue_id
        found = select(ApprovedIssueRow).where(this).order_by(col(ApprovedIssueRow.id).desc())
        with transaction(self._engine) as session:
            row = session.exec(found.limit(1)).first()
            names = ApprovedIssue.__dataclass_fields__
            return ApprovedIssue(**{name: getattr(row, name) for name in names}) if row else None

    def set_leaving(self, issue_id: int, approved_hash: str, at: datetime, by: str) -> bool:
        """Let an approved issue leave at a moment; False if this is not what is approved.

        One that is to leave at some moment already does so then.
        """
        this = (
            col(IssueRow.id) == issue_id,
            col(IssueRow.state) == IssueStatus.APPROVED,
            col(IssueRow.approved_hash) == approved_hash,
        )
        values = {
            "leaves_at": func.coalesce(col(IssueRow.leaves_at), at),
            "leaves_by": func.coalesce(col(IssueRow.leaves_by), str(by)),
        }
        with transaction(self._engine) as session:
            return bool(session.exec(update(IssueRow).where(*this).values(**values)).rowcount)

    def call_back(self, issue_id: int) -> bool:
        """Let an issue not leave by hand after all; False if it does not wait to, or has left."""
        waits = (col(IssueRow.state) == IssueStatus.APPROVED, col(IssueRow.leaves_at).is_not(None))
        this = update(IssueRow).where(col(IssueRow.id) == issue_id, *waits)
        with transaction(self._engine) as session:
            return bool(session.exec(this.values(leaves_at=None, leaves_by=None)).rowcount)

    def due_by_hand(self, now: datetime) -> tuple[StoredIssue, ...]:
        """Return the issues that a person has leave by now, and that were not planned yet."""
        due = (col(IssueRow.state) == IssueStatus.APPROVED, col(IssueRow.leaves_at) <= now)
        with transaction(self._engine) as session:
            found = session.exec(select(IssueRow).where(*due)).all()
            return tuple(stored_issue(session, row) for row in found)

    def take_back(self, issue_id: int, by: str, reason: str) -> StoredIssue | None:
        """Void a person's or the policy's approval; None if it is not approved, or was planned."""
        approval = {name: None for name in UNAPPROVED if name != "content_hash"}
        void = (
            update(IssueRow)
            .where(col(IssueRow.id) == issue_id, col(IssueRow.state) == IssueStatus.APPROVED)
            .values(state=IssueStatus.DRAFT, reason=reason, withdrawn_by=by, **approval)
        )
        with transaction(self._engine) as session:
            if not session.exec(void).rowcount:
                return None
            stored = get_issue(session, issue_id)
        _log.info("taken back", extra={"action": "issue.taken_back", "issue": issue_id, "by": by})
        return stored

    def withdraw(self, issue_id: int, reason: str) -> None:
        """Void the approval of an unplanned issue: it is a draft again."""
        with transaction(self._engine) as session:
            _void(session, [issue_id], reason)

    def withdraw_brief(
        self, brief_id: int, reason: str, *, by: str | None = None, now: datetime
    ) -> None:
        """Take a brief out of an unplanned issue, which is thereby a draft again.

        `by` is the person whose decision that follows from, if it was one's.
        """
        printing = select(IssueBriefRow.issue_id).where(IssueBriefRow.brief_id == brief_id)
        with transaction(self._engine) as session:
            voided = _void(session, session.exec(printing).all(), reason)
            taken_out = col(IssueBriefRow.issue_id).in_(voided)
            this = col(IssueBriefRow.brief_id) == brief_id
            session.exec(delete(IssueBriefRow).where(this, taken_out))
            if by is not None:
                changed = update(IssueRow).where(col(IssueRow.id).in_(voided))
                session.exec(changed.values(changed_by=by, changed_at=now))

    def printing(self, brief_ids: Iterable[int]) -> dict[int, bool]:
        """Return those of these briefs that issues print, each with whether one does at the top."""
        places = select(IssueBriefRow.brief_id, IssueBriefRow.lead).where(
            col(IssueBriefRow.brief_id).in_(tuple(brief_ids))
        )
        found = dict[int, bool]()
        with transaction(self._engine) as session:
            for brief_id, lead in session.exec(places):
                found[brief_id] = lead or found.get(brief_id, False)
        return found

    def published(self, newsletter: str, limit: int = 100) -> tuple[StoredIssue, ...]:
        """Return the issues that were planned, the newest first, at most so many."""
        found = (
            select(IssueRow)
            .where(IssueRow.newsletter == newsletter, col(IssueRow.planned_at).is_not(None))
            .order_by(col(IssueRow.date).desc())
            .limit(limit)
        )
        with transaction(self._engine) as session:
            return stored_issues(session, session.exec(found).all())

    def paused(self, newsletter: str) -> tuple[StoredIssue, ...]:
        """Return the issues that wait for somebody to resume them, the oldest first."""
        found = (
            select(IssueRow)
            .where(IssueRow.newsletter == newsletter, IssueRow.state == IssueStatus.PAUSED)
            .order_by(col(IssueRow.date))
        )
        with transaction(self._engine) as session:
            return tuple(stored_issue(session, row) for row in session.exec(found).all())

    def edition(self, issue_id: int, key: str) -> tuple[int, ...] | None:
        """Return the briefs of a planned edition."""
        found = select(EditionRow).where(EditionRow.issue_id == issue_id, EditionRow.key == key)
        with transaction(self._engine) as session:
            row = session.exec(found).first()
            return tuple(row.brief_ids) if row else None

    def resume(self, issue_id: int, now: datetime) -> bool:
        """Let a paused issue's batches be sent again; False if it is not paused.

        The circuit breaker counts from here.
        """
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
            if not session.exec(update(IssueRow).where(*paused).values(**values)).rowcount:
                return False
            session.exec(update(BatchRow).where(*tried).values(not_before=None))
        _log.info("resumed", extra={"action": "issue.resumed", "issue": issue_id})
        return True


def _approved(stored: StoredIssue, digest: str, by: str, now: datetime) -> ApprovedIssueRow:
    return ApprovedIssueRow(
        issue_id=stored.id,
        content_hash=digest,
        by=str(by),
        at=now,
        issue=stored.issue,
        galley=stored.need_galley(),
    )


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


def _refuse_frozen(session: Session, issue: Issue) -> None:
    """Raise NotAllowed if the issue of this date may not be assembled again."""
    found = select(IssueRow.state).where(
        IssueRow.newsletter == issue.newsletter, IssueRow.date == issue.date
    )
    if not IssueStatus(session.exec(found).one()).is_open:
        raise NotAllowed(f"the issue of {issue.date} is frozen: it was approved")
