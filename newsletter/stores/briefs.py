"""Briefs, their revisions and their verdicts."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, false, or_
from sqlalchemy.exc import DataError
from sqlmodel import Session, col, func, select

from newsletter.core.brief import Brief
from newsletter.core.issue import Candidate, IssueEntry
from newsletter.core.publication import Newsletter
from newsletter.core.source_record import KnownItem
from newsletter.core.stored import BriefRevision, StoredBrief
from newsletter.core.verification import KnownBrief, Ruling, Verdict
from newsletter.errors import InvalidBrief, NotFound
from newsletter.stores.brief_saving import (
    JudgedBrief,
    changed,
    lock_unchanged,
    record_acceptance,
    ruled,
    save_briefs,
)
from newsletter.stores.decisions import DecisionEntry, add_decisions
from newsletter.stores.tables import BriefRevisionRow, BriefRow, IssueBriefRow
from subscribers.db.transaction import DatabaseStore, rows, transaction

_log = logging.getLogger(__name__)

#: A brief with the issue that prints it, if one does: the first, before a digest of the week.
_STORED = select(
    BriefRow,
    select(func.min(IssueBriefRow.issue_id))
    .where(IssueBriefRow.brief_id == BriefRow.id)
    .scalar_subquery(),
)

#: As `StoredBrief.ruling` says it.
_RULING = case(
    (
        and_(col(BriefRow.held_by).is_not(None), col(BriefRow.ruling) == Ruling.ACCEPTED.value),
        Ruling.HELD.value,
    ),
    else_=col(BriefRow.ruling),
)

_KNOWN = """
    SELECT id AS brief_id, title, COALESCE(content #>> '{source,url}', '') AS url,
           id IN (SELECT brief_id FROM issue_brief JOIN issue ON issue.id = issue_id
                   WHERE issue.state NOT IN ('draft', 'empty')) AS printed
      FROM brief
     WHERE lower(pillar) = lower(%(pillar)s) AND received_at >= %(since)s AND ruling <> 'rejected'
     ORDER BY id
"""

_NEW_IDS = """
    SELECT nextval(pg_get_serial_sequence('brief', 'id')) AS id
      FROM generate_series(1, %(count)s) ORDER BY id
"""

_UNPRINTED = """
    SELECT id AS brief_id, key, title, content ->> 'published' AS "on"
      FROM brief
     WHERE left(key, %(length)s) = %(prefix)s AND received_at >= %(since)s
       AND ruling = 'accepted' AND held_by IS NULL
       AND id NOT IN (SELECT brief_id FROM issue_brief JOIN issue ON issue.id = issue_id
                       WHERE issue.planned_at IS NOT NULL)
     ORDER BY id
"""

#: The gate's ruling now, not as it was when an issue was set. A newsletter prints what was received
#: since its last cut-off. A digest prints what was in an issue of these seven dates that was sent,
#: or in an older one that was sent only after the digest of a week ago was set.
_CANDIDATES = """
    SELECT brief.id FROM brief
      LEFT JOIN issue_brief ON issue_brief.brief_id = brief.id
                           AND issue_brief.newsletter = %(slug)s
      LEFT JOIN issue ON issue.id = issue_brief.issue_id
     WHERE lower(brief.pillar) = lower(%(pillar)s) AND brief.ruling = 'accepted'
       AND brief.held_by IS NULL AND (issue.id IS NULL OR issue.date = %(on)s)
       AND CASE WHEN %(main)s::text IS NULL THEN brief.revised_at >= %(since)s ELSE
           EXISTS (SELECT FROM issue_brief AS place JOIN issue AS main ON main.id = place.issue_id
                    WHERE place.brief_id = brief.id AND place.newsletter = %(main)s
                      AND main.planned_at IS NOT NULL AND main.state <> 'cancelled'
                      AND main.date <= %(on)s AND main.date > %(on)s::date - 14
                      AND (main.date > %(on)s::date - 7
                           OR main.planned_at > (SELECT assembled_at FROM issue AS last
                                                  WHERE last.newsletter = %(slug)s
                                                    AND last.date = %(on)s::date - 7))) END
"""


class BriefStore(DatabaseStore):
    """Stores each brief with its revisions and the verdict in force."""

    def find(self, key: str) -> StoredBrief | None:
        return self.found([key]).get(key)

    def found(self, keys: Iterable[str]) -> dict[str, StoredBrief]:
        """Return those of these keys that are stored, by key."""
        wanted = _STORED.where(col(BriefRow.key).in_(tuple(keys)))
        with transaction(self._engine) as session:
            return {row.key: _stored(row, issue_id) for row, issue_id in session.exec(wanted)}

    def get(self, brief_id: int) -> StoredBrief:
        """Return the brief of this id; NotFound if there is none."""
        with transaction(self._engine) as session:
            return _get(session, brief_id)

    def seen(self, briefs: Sequence[Brief]) -> frozenset[str]:
        """Return the keys of those briefs that have ever said exactly this."""
        digests = [one.digest for one in briefs]  # of a key, too: no two keys share one
        said = (
            select(BriefRow.key)
            .join(BriefRevisionRow, col(BriefRow.id) == BriefRevisionRow.brief_id)
            .where(
                col(BriefRow.key).in_([one.key for one in briefs]),
                col(BriefRevisionRow.digest).in_(digests),
            )
        )
        with transaction(self._engine) as session:
            return frozenset(session.exec(said))

    def known(self, pillar: str, since: datetime) -> tuple[KnownBrief, ...]:
        """Return what the duplicate check compares with: the pillar's briefs received since."""
        return tuple(KnownBrief(**row) for row in self._rows(_KNOWN, pillar=pillar, since=since))

    def unprinted_of(self, prefix: str, since: datetime) -> tuple[KnownItem, ...]:
        """Return the accepted briefs whose keys begin so, received since, in no planned issue."""
        found = self._rows(_UNPRINTED, prefix=prefix, length=len(prefix), since=since)
        return tuple(KnownItem(published=_moment(row.pop("on")), **row) for row in found)

    def new_ids(self, count: int) -> tuple[int, ...]:
        """Return numbers for so many new briefs, which no other brief gets; ascending."""
        return tuple(row["id"] for row in self._rows(_NEW_IDS, count=count)) if count else ()

    def save(
        self,
        judged: Sequence[JudgedBrief],
        now: datetime,
        *,
        by: str | None = None,
        decided: Iterable[DecisionEntry] = (),
    ) -> tuple[StoredBrief, ...]:
        """Store new briefs and new revisions with their verdicts, and what is to be logged of them.

        All or nothing: ConcurrentChange where one was changed since it was read, InvalidBrief where
        a column cannot hold what one says. `by` is the person who wrote them; None: a source.
        """
        try:
            with transaction(self._engine) as session:
                stored = save_briefs(session, judged, now, by=by)
                add_decisions(session, decided, by or "", now)
        except DataError as error:
            raise InvalidBrief("brief", "it holds a value that cannot be stored") from error
        for one in stored:
            _log.info(
                " ".join(one.reasons) or "stored",
                extra={
                    "action": f"brief.{one.ruling}",
                    "brief": one.brief_id,
                    "revision": one.revision,
                },
            )
        return stored

    def decide(
        self,
        stored: StoredBrief,
        verdict: Verdict,
        *,
        waived: Iterable[str],
        held_by: str | None,
        by: str,
        now: datetime,
        decided: Iterable[DecisionEntry] = (),
    ) -> StoredBrief:
        """Store what somebody decided about a brief, and what is to be logged of it.

        Both or neither: ConcurrentChange where the brief is not as they read it.
        """
        values = ruled(verdict) | {"waived": sorted(waived), "held_by": held_by}
        with transaction(self._engine) as session:
            lock_unchanged(session, [stored])
            if row := session.get(BriefRow, stored.brief_id):
                row.sqlmodel_update(values | changed(by, now))
                if verdict.ruling is Ruling.ACCEPTED and held_by is None:
                    record_acceptance(session, row, now)
            add_decisions(session, decided, by, now)
            return _get(session, stored.brief_id)

    def revisions(self, brief_id: int) -> tuple[BriefRevision, ...]:
        """Return every revision of a brief, the oldest first."""
        found = (
            select(BriefRevisionRow)
            .where(BriefRevisionRow.brief_id == brief_id)
            .order_by(col(BriefRevisionRow.revision))
        )
        with transaction(self._engine) as session:
            return tuple(
                BriefRevision(
                    revision=row.revision, brief=row.content, received=row.received_at, by=row.by
                )
                for row in session.exec(found)
            )

    def on(self, start: datetime, end: datetime, pillar: str | None) -> tuple[StoredBrief, ...]:
        """Return the briefs received in [start, end), of one pillar or of all."""
        found = _STORED.where(BriefRow.received_at >= start, BriefRow.received_at < end)
        if pillar is not None:
            found = found.where(func.lower(BriefRow.pillar) == func.lower(pillar))
        with transaction(self._engine) as session:
            return tuple(_stored(*row) for row in session.exec(found.order_by(col(BriefRow.id))))

    def listed(
        self,
        spans: Mapping[str, tuple[datetime, datetime] | None],
        *,
        ruling: Ruling | None,
        before: int | None,
        limit: int,
    ) -> tuple[StoredBrief, ...]:
        """Return briefs, the newest first: of these pillars, each with when they were received."""
        wanted = [_of_pillar(pillar, span) for pillar, span in spans.items()]
        found = _STORED.where(or_(false(), *wanted)).order_by(col(BriefRow.id).desc()).limit(limit)
        if ruling is not None:
            found = found.where(ruling.value == _RULING)
        if before is not None:
            found = found.where(BriefRow.id < before)
        with transaction(self._engine) as session:
            return tuple(_stored(*row) for row in session.exec(found))

    def candidates(
        self, newsletter: Newsletter, on: date, since: datetime
    ) -> tuple[Candidate, ...]:
        """Return accepted briefs which are in no other date's issue of this newsletter.

        Of a newsletter: those received since. Of a digest: those that were printed in the week.
        """
        values = {
            "pillar": newsletter.pillar,
            "since": since,
            "on": on,
            "slug": newsletter.slug,
            "main": newsletter.week_of,
        }
        with transaction(self._engine) as session:
            ids = [row["id"] for row in rows(session, _CANDIDATES, values)]
            found = select(BriefRow).where(col(BriefRow.id).in_(ids)).order_by(col(BriefRow.id))
            return tuple((_entry(row), row.received_at) for row in session.exec(found))


def _of_pillar(pillar: str, span: tuple[datetime, datetime] | None) -> Any:
    printed = func.lower(BriefRow.pillar) == func.lower(pillar)
    if span is None:
        return printed
    start, end = span
    received = col(BriefRow.received_at)
    return and_(printed, received >= start, received < end)


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def _entry(row: BriefRow) -> IssueEntry:
    return IssueEntry(
        brief_id=row.id, revision=row.revision, brief=row.content, topics=tuple(row.topics)
    )


def _get(session: Session, brief_id: int) -> StoredBrief:
    row = session.exec(_STORED.where(BriefRow.id == brief_id)).first()
    if row is None:
        raise NotFound(f"there is no brief {brief_id}")
    return _stored(*row)


def _stored(row: BriefRow, issue_id: int | None) -> StoredBrief:
    return StoredBrief(
        brief_id=row.id,
        revision=row.revision,
        brief=row.content,
        verdict=Verdict(ruling=Ruling(row.ruling), findings=row.findings, topics=tuple(row.topics)),
        waived=frozenset(row.waived),
        held_by=row.held_by,
        received=row.received_at,
        issue_id=issue_id,
    )
