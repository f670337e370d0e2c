"""Issues on file: one per newsletter and date, by constraint."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from newsletter.core.galley import Galley
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.stored import IssueStatus, StoredIssue, segment_of
from newsletter.errors import NotAllowed, NotFound
from newsletter.stores.codec import (
    brief_from_json,
    brief_to_json,
    galley_from_json,
    galley_to_json,
)
from newsletter.stores.sql import as_json


class IssueStore:
    """IssueStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, newsletter: str, on: date) -> StoredIssue | None:
        """Return the issue of this date."""
        with self._engine.begin() as connection:
            return _one(
                connection, "newsletter = :newsletter AND date = :on", newsletter=newsletter, on=on
            )

    def get(self, issue_id: int) -> StoredIssue:
        """Return the issue of this id; NotFound if there is none."""
        with self._engine.begin() as connection:
            return _get(connection, issue_id)

    def next_number(self, newsletter: str) -> int:
        """Return the number of the issue that comes next."""
        with self._engine.begin() as connection:
            return connection.execute(
                text("SELECT COALESCE(max(number), 0) + 1 FROM issue WHERE newsletter = :n"),
                {"n": newsletter},
            ).scalar_one()

    def draft(
        self, issue: Issue, galley: Galley | None, content_hash: str | None, now: datetime
    ) -> StoredIssue:
        """Keep a draft in place of an earlier draft; NotAllowed once the issue is frozen."""
        values = {
            "newsletter": issue.newsletter,
            "date": issue.date,
            "number": issue.number if issue.entries else None,
            "state": IssueStatus.DRAFT if issue.entries else IssueStatus.EMPTY,
            "reason": None if issue.entries else "no accepted brief to print",
            "galley": as_json(galley_to_json(galley)) if galley else None,
            "hash": content_hash,
            "now": now,
        }
        with self._engine.begin() as connection:
            issue_id = connection.execute(text(_DRAFT), values).scalar()
            if issue_id is None:
                raise NotAllowed(f"the issue of {issue.date} is frozen: it was approved")
            connection.execute(text("DELETE FROM issue_brief WHERE issue_id = :i"), {"i": issue_id})
            if issue.entries:
                connection.execute(text(_PLACE), _places(issue_id, issue))
            return _get(connection, issue_id)

    def approve(self, issue_id: int, content_hash: str, by: str, now: datetime) -> StoredIssue:
        """Freeze the issue if it still has this content; NotAllowed if it has another."""
        with self._engine.begin() as connection:
            frozen = connection.execute(
                text("""
                    UPDATE issue SET state = 'approved', approved_hash = :hash,
                           approved_by = :by, approved_at = :now
                     WHERE id = :id AND state = 'draft' AND content_hash = :hash RETURNING id
                """),
                {"id": issue_id, "hash": content_hash, "by": by, "now": now},
            ).scalar()
            if frozen is None:
                raise NotAllowed("the draft changed since it was set: assemble it again")
            return _get(connection, issue_id)

    def withdraw(self, issue_id: int, reason: str) -> None:
        """Void the approval of an unplanned issue: it is a draft again."""
        with self._engine.begin() as connection:
            connection.execute(text(_VOID), {"ids": [issue_id], "reason": reason})

    def withdraw_brief(self, brief_id: int, reason: str) -> None:
        """Take a brief out of an unplanned issue, which is thereby a draft again."""
        with self._engine.begin() as connection:
            holding = connection.execute(
                text("SELECT issue_id FROM issue_brief WHERE brief_id = :b"), {"b": brief_id}
            ).scalars()
            voided = connection.execute(
                text(_VOID), {"ids": list(holding), "reason": reason}
            ).scalars()
            connection.execute(
                text("DELETE FROM issue_brief WHERE brief_id = :b AND issue_id = ANY(:ids)"),
                {"b": brief_id, "ids": list(voided)},
            )

    def published(self, newsletter: str, limit: int = 100) -> tuple[StoredIssue, ...]:
        """Return the issues that were planned, the newest first, at most so many."""
        with self._engine.begin() as connection:
            ids = connection.execute(
                text("""
                    SELECT id FROM issue WHERE newsletter = :n AND planned_at IS NOT NULL
                     ORDER BY date DESC LIMIT :limit
                """),
                {"n": newsletter, "limit": limit},
            ).scalars()
            return tuple(_get(connection, issue_id) for issue_id in ids.all())

    def edition(self, issue_id: int, key: str) -> tuple[int, ...] | None:
        """Return the briefs of a planned edition."""
        with self._engine.begin() as connection:
            found = connection.execute(
                text("SELECT brief_ids FROM edition WHERE issue_id = :i AND key = :key"),
                {"i": issue_id, "key": key},
            ).scalar()
            return tuple(found) if found else None

    def resume(self, issue_id: int, now: datetime) -> None:
        """Let a paused issue's batches leave again; the fuse counts from here."""
        with self._engine.begin() as connection:
            connection.execute(
                text("""
                    UPDATE issue SET state = 'sending', reason = NULL, resumed_at = :now
                     WHERE id = :id AND state = 'paused'
                """),
                {"id": issue_id, "now": now},
            )


_VOID = """
    UPDATE issue SET state = 'draft', reason = :reason, content_hash = NULL,
           approved_hash = NULL, approved_by = NULL, approved_at = NULL
     WHERE id = ANY(:ids) AND state IN ('draft', 'approved')
    RETURNING id
"""

_DRAFT = """
    INSERT INTO issue AS old
           (newsletter, date, number, state, reason, galley, content_hash, assembled_at)
    VALUES (:newsletter, :date, :number, :state, :reason, CAST(:galley AS jsonb), :hash, :now)
    ON CONFLICT (newsletter, date) DO UPDATE
       SET number = excluded.number, state = excluded.state, reason = excluded.reason,
           galley = excluded.galley, content_hash = excluded.content_hash,
           assembled_at = excluded.assembled_at
     WHERE old.state IN ('draft', 'empty', 'missed')
    RETURNING id
"""

_PLACE = """
    INSERT INTO issue_brief
           (issue_id, position, newsletter, brief_id, revision, content, topics, lead)
    VALUES (:issue_id, :position, :newsletter, :brief_id, :revision, CAST(:content AS jsonb),
            :topics, :lead)
"""


def _places(issue_id: int, issue: Issue) -> list[dict[str, Any]]:
    return [
        {
            "issue_id": issue_id,
            "position": position,
            "newsletter": issue.newsletter,
            "brief_id": entry.brief_id,
            "revision": entry.revision,
            "content": as_json(brief_to_json(entry.brief)),
            "topics": list(entry.topics),
            "lead": entry.lead,
        }
        for position, entry in enumerate(issue.entries)
    ]


def _get(connection: Connection, issue_id: int) -> StoredIssue:
    filed = _one(connection, "id = :id", id=issue_id)
    if filed is None:
        raise NotFound(f"there is no issue {issue_id}")
    return filed


def _one(connection: Connection, where: str, **values: Any) -> StoredIssue | None:
    row = connection.execute(text(f"SELECT * FROM issue WHERE {where}"), values).first()  # noqa: S608
    if row is None:
        return None
    entries = connection.execute(
        text("SELECT * FROM issue_brief WHERE issue_id = :i ORDER BY position"), {"i": row.id}
    )
    return _filed(row, tuple(_entry(entry) for entry in entries))


def _entry(row: Any) -> IssueEntry:
    return IssueEntry(
        brief_id=row.brief_id,
        revision=row.revision,
        brief=brief_from_json(row.content),
        topics=tuple(row.topics),
        lead=row.lead,
    )


def _filed(row: Any, entries: tuple[IssueEntry, ...]) -> StoredIssue:
    return StoredIssue(
        id=row.id,
        issue=Issue(
            newsletter=row.newsletter, date=row.date, number=row.number or 0, entries=entries
        ),
        state=IssueStatus(row.state),
        reason=row.reason,
        galley=galley_from_json(row.galley) if row.galley else None,
        content_hash=row.content_hash,
        approved_hash=row.approved_hash,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        planned_at=row.planned_at,
        segment=segment_of(row.segment),
    )
