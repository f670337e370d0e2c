"""Writing briefs: many at once, each a new one or a new revision of a known one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select
from sqlmodel import insert as insert_rows

from newsletter.core.brief import Brief
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling, Verdict
from newsletter.stores.tables import BriefRevisionRow, BriefRow
from subscribers.db.transaction import retried
from subscribers.errors import ConcurrentChange

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class JudgedBrief:
    """A brief that went through the gate, as it is to be stored; its number is known before."""

    brief_id: int
    brief: Brief
    verdict: Verdict
    replaces: StoredBrief | None = None  #: None: it is new
    waived: frozenset[str] = frozenset()
    held_by: str | None = None
    is_seen: bool = True  #: whether readers would see what changed

    def stored(self, now: datetime) -> StoredBrief:
        """Return the brief as it is stored now."""
        before = self.replaces
        return StoredBrief(
            brief_id=self.brief_id,
            revision=before.revision + 1 if before else 1,
            brief=self.brief,
            verdict=self.verdict,
            waived=self.waived,
            held_by=self.held_by,
            received=before.received if before else now,
            issue_id=before.issue_id if before else None,
        )


def judged_again(act: Callable[[], Result]) -> Result:
    """Return what `act` returns; it is done again where a brief changed since `act` read it."""
    return retried(act)


def save_briefs(
    session: Session, judged: Iterable[JudgedBrief], now: datetime, *, by: str | None
) -> tuple[StoredBrief, ...]:
    """Store briefs of different keys; ConcurrentChange where one was changed meanwhile."""
    judged = tuple(judged)
    lock_unchanged(session, [one.replaces for one in judged if one.replaces])
    stored = tuple(one.stored(now) for one in judged)
    _save_current(session, stored, now, by=by)
    revisions = [
        {
            "brief_id": one.brief_id,
            "revision": one.revision,
            "digest": one.brief.digest,
            "content": one.brief,
            "received_at": now,
            "by": by,
            "accepted_at": now if one.ruling is Ruling.ACCEPTED else None,
        }
        for one in stored
    ]
    session.exec(insert_rows(BriefRevisionRow), params=revisions)
    return stored


def lock_unchanged(session: Session, read: Sequence[StoredBrief]) -> None:
    """Lock briefs that were read; ConcurrentChange where one is of another version by now."""
    if not read:
        return
    locked = (
        select(BriefRow)
        .where(col(BriefRow.id).in_([one.brief_id for one in read]))
        .order_by(BriefRow.key)
        .with_for_update()
    )
    found = {
        (one.id, one.revision, one.held_by, one.ruling, frozenset(one.waived))
        for one in session.exec(locked)
    }
    if found != {
        (one.brief_id, one.revision, one.held_by, one.verdict.ruling.value, one.waived)
        for one in read
    }:
        raise ConcurrentChange


def _save_current(
    session: Session, stored: Sequence[StoredBrief], now: datetime, *, by: str | None
) -> None:
    """Insert or replace rows, in an order in which two transactions do not wait for each other."""
    rows = [_row(one, now, by) for one in sorted(stored, key=lambda one: one.brief.key)]
    statement = insert(BriefRow)
    said = {name: statement.excluded[name] for name in rows[0] if name not in _OF_THE_FIRST}
    counted = {"revision": col(BriefRow.revision) + 1}
    upsert = statement.on_conflict_do_update(index_elements=["key"], set_=said | counted)
    numbers = upsert.returning(col(BriefRow.id), col(BriefRow.revision))
    found = {tuple(row) for row in session.exec(numbers, params=rows)}
    if found != {(one.brief_id, one.revision) for one in stored}:
        raise ConcurrentChange


#: Columns that the first revision of a brief decides.
_OF_THE_FIRST = frozenset({"id", "key", "revision", "received_at"})


def _row(stored: StoredBrief, now: datetime, by: str | None) -> dict[str, Any]:
    return {
        "id": stored.brief_id,
        "key": stored.brief.key,
        "revision": 1,
        "digest": stored.brief.digest,
        "pillar": stored.brief.pillar,
        "title": stored.brief.title,
        "content": stored.brief,
        "waived": sorted(stored.waived),
        "held_by": stored.held_by,
        "received_at": now,
        "revised_at": now,
        **changed(by, now),
        **ruled(stored.verdict),
    }


def changed(by: str | None, now: datetime) -> dict[str, Any]:
    """Return the columns that say whose change is the newest."""
    return {"changed_by": by, "changed_at": now if by else None}


def ruled(verdict: Verdict) -> dict[str, Any]:
    """Return the columns of what the gate said."""
    return {
        "ruling": verdict.ruling.value,
        "findings": verdict.findings,
        "topics": list(verdict.topics),
    }


def record_acceptance(session: Session, row: BriefRow, now: datetime) -> None:
    """Record since when the newest revision is accepted; accepted again, it was before."""
    revision = session.get(BriefRevisionRow, (row.id, row.revision))
    if revision and revision.accepted_at is None:
        revision.accepted_at = now
