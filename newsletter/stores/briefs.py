"""Briefs on file."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from newsletter.core.brief import Brief
from newsletter.core.issue import Candidate
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import KnownBrief, Ruling, Verdict
from newsletter.errors import NotFound
from newsletter.stores.codec import (
    brief_from_json,
    brief_to_json,
    findings_from_json,
    findings_to_json,
)
from newsletter.stores.sql import as_json

#: A brief with the issue that prints it, if one does: the first, before a digest of the week.
_FILED = """
    SELECT brief.*,
           (SELECT min(issue_id) FROM issue_brief WHERE brief_id = brief.id) AS issue_id
      FROM brief
"""


class BriefStore:
    """BriefStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, key: str) -> StoredBrief | None:
        """Return the brief of this key."""
        with self._engine.begin() as connection:
            return _one(connection, "WHERE brief.key = :key", key=key)

    def get(self, brief_id: int) -> StoredBrief:
        """Return the brief of this id; NotFound if there is none."""
        with self._engine.begin() as connection:
            return _get(connection, brief_id)

    def seen(self, key: str, digest: str) -> bool:
        """Tell whether this brief has ever said exactly this."""
        with self._engine.begin() as connection:
            found = connection.execute(
                text("""
                    SELECT 1 FROM brief_revision
                      JOIN brief ON brief.id = brief_revision.brief_id
                     WHERE brief.key = :key AND brief_revision.digest = :digest
                """),
                {"key": key, "digest": digest},
            )
            return found.first() is not None

    def known(self, pillar: str, since: datetime) -> tuple[KnownBrief, ...]:
        """Return what the duplicate check compares with: the pillar's briefs received since."""
        with self._engine.begin() as connection:
            rows = connection.execute(
                text("""
                    SELECT brief.id, brief.title, brief.content #>> '{source,url}' AS url,
                           brief.id IN (SELECT brief_id FROM issue_brief
                                          JOIN issue ON issue.id = issue_id
                                         WHERE issue.state NOT IN ('draft', 'empty')) AS printed
                      FROM brief
                     WHERE lower(brief.pillar) = lower(:pillar) AND brief.received_at >= :since
                       AND brief.ruling <> 'rejected'
                     ORDER BY brief.id
                """),
                {"pillar": pillar, "since": since},
            )
            return tuple(
                KnownBrief(brief_id=r.id, title=r.title, url=r.url or "", printed=r.printed)
                for r in rows
            )

    def file(self, brief: Brief, verdict: Verdict, now: datetime) -> StoredBrief:
        """Keep a new brief, or a new revision of a known one, with its verdict."""
        values = {
            "key": brief.key,
            "digest": brief.digest,
            "pillar": brief.pillar,
            "title": brief.title,
            "content": as_json(brief_to_json(brief)),
            "ruling": verdict.ruling.value,
            "findings": as_json(findings_to_json(verdict.findings)),
            "topics": list(verdict.topics),
            "now": now,
        }
        with self._engine.begin() as connection:
            brief_id = connection.execute(text(_FILE), values).scalar_one()
            connection.execute(text(_KEEP_REVISION), {"id": brief_id})
            return _get(connection, brief_id)

    def decide(
        self, brief_id: int, verdict: Verdict, *, waived: Iterable[str], held_by: str | None
    ) -> StoredBrief:
        """Keep what a person decided about a brief."""
        with self._engine.begin() as connection:
            connection.execute(
                text("""
                    UPDATE brief SET ruling = :ruling, findings = CAST(:findings AS jsonb),
                           topics = :topics, waived = :waived, held_by = :held_by
                     WHERE id = :id
                """),
                {
                    "id": brief_id,
                    "ruling": verdict.ruling.value,
                    "findings": as_json(findings_to_json(verdict.findings)),
                    "topics": list(verdict.topics),
                    "waived": sorted(waived),
                    "held_by": held_by,
                },
            )
            return _get(connection, brief_id)

    def on(self, start: datetime, end: datetime, pillar: str | None) -> tuple[StoredBrief, ...]:
        """Return the briefs received in [start, end), of one pillar or of all."""
        where = """WHERE brief.received_at >= :start AND brief.received_at < :end
                     AND (CAST(:pillar AS text) IS NULL OR lower(brief.pillar) = lower(:pillar))
                   ORDER BY brief.id"""
        with self._engine.begin() as connection:
            rows = connection.execute(
                text(_FILED + where), {"start": start, "end": end, "pillar": pillar}
            )
            return tuple(_filed(row) for row in rows)

    def candidates(
        self, newsletter: Newsletter, on: date, since: datetime
    ) -> tuple[Candidate, ...]:
        """Return accepted briefs which stand in no other date's issue of this newsletter.

        Of a newsletter: those received since. Of a digest: those that were printed in the week.
        """
        arrived = _PRINTED_IN_THE_WEEK if newsletter.week_of else "brief.revised_at >= :since"
        values = {
            "pillar": newsletter.pillar,
            "since": since,
            "on": on,
            "slug": newsletter.slug,
            "main": newsletter.week_of,
        }
        with self._engine.begin() as connection:
            rows = connection.execute(text(_CANDIDATES + arrived + " ORDER BY brief.id"), values)
            return tuple(
                Candidate(
                    brief_id=row.id,
                    revision=row.revision,
                    brief=brief_from_json(row.content),
                    topics=tuple(row.topics),
                    received=row.received_at,
                )
                for row in rows
            )


#: The gate's word now, not as it was when an issue was set.
_CANDIDATES = """
    SELECT brief.* FROM brief
      LEFT JOIN issue_brief ON issue_brief.brief_id = brief.id AND issue_brief.newsletter = :slug
      LEFT JOIN issue ON issue.id = issue_brief.issue_id
     WHERE lower(brief.pillar) = lower(:pillar) AND brief.ruling = 'accepted'
       AND brief.held_by IS NULL AND (issue.id IS NULL OR issue.date = :on) AND
"""

#: In an issue of these seven dates that has left, or in an older one that left only after the
#: digest of a week ago was set, and would else be in none.
_PRINTED_IN_THE_WEEK = """
    EXISTS (SELECT FROM issue_brief AS place JOIN issue AS main ON main.id = place.issue_id
             WHERE place.brief_id = brief.id AND place.newsletter = :main
               AND main.planned_at IS NOT NULL AND main.state <> 'cancelled'
               AND main.date <= :on AND main.date > CAST(:on AS date) - 14
               AND (main.date > CAST(:on AS date) - 7
                    OR main.planned_at > (SELECT assembled_at FROM issue AS last
                                           WHERE last.newsletter = :slug
                                             AND last.date = CAST(:on AS date) - 7)))
"""

_FILE = """
    INSERT INTO brief AS old
           (key, digest, revision, pillar, title, content, ruling, findings, topics,
            received_at, revised_at)
    VALUES (:key, :digest, 1, :pillar, :title, CAST(:content AS jsonb), :ruling,
            CAST(:findings AS jsonb), :topics, :now, :now)
    ON CONFLICT (key) DO UPDATE
       SET digest = excluded.digest, revision = old.revision + 1, pillar = excluded.pillar,
           title = excluded.title, content = excluded.content, ruling = excluded.ruling,
           findings = excluded.findings, topics = excluded.topics, waived = '{}',
           held_by = NULL, revised_at = excluded.revised_at
    RETURNING id
"""

_KEEP_REVISION = """
    INSERT INTO brief_revision (brief_id, revision, digest, content, received_at)
    SELECT id, revision, digest, content, revised_at FROM brief WHERE id = :id
"""


def _get(connection: Connection, brief_id: int) -> StoredBrief:
    filed = _one(connection, "WHERE brief.id = :id", id=brief_id)
    if filed is None:
        raise NotFound(f"there is no brief {brief_id}")
    return filed


def _one(connection: Connection, where: str, **values: Any) -> StoredBrief | None:
    row = connection.execute(text(_FILED + where), values).first()
    return _filed(row) if row else None


def _filed(row: Any) -> StoredBrief:
    return StoredBrief(
        brief_id=row.id,
        revision=row.revision,
        brief=brief_from_json(row.content),
        verdict=Verdict(
            ruling=Ruling(row.ruling),
            findings=findings_from_json(row.findings),
            topics=tuple(row.topics),
        ),
        waived=frozenset(row.waived),
        held_by=row.held_by,
        received=row.received_at,
        issue_id=row.issue_id,
    )
