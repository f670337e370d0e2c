"""Tagging subscriptions, one or a whole segment at a time."""

from collections.abc import Collection
from datetime import UTC, datetime

from psycopg.types.json import Jsonb
from sqlmodel import Session

from subscribers.db.statements import INSERT_CHANGE
from subscribers.db.transaction import execute
from subscribers.records.model import WholeList
from subscribers.segments.condition import Condition, condition

_ADDED = "SELECT DISTINCT tag FROM unnest(tags || %(tags)s::text[]) AS tag ORDER BY tag"
_REMOVED = "SELECT tag FROM unnest(tags) AS tag WHERE tag <> ALL(%(tags)s::text[])"
_LACKS_ONE, _HAS_ONE = "NOT tags @> %(tags)s::text[]", "tags && %(tags)s::text[]"


def _tag(chosen: str, tags: str, changes: str) -> str:
    """Return the statement that gives chosen subscriptions tags, where that changes anything.

    Only what changes is recorded. Rows are locked in the one order of all writers of this table.
    """
    return f"""
WITH locked AS (
    SELECT id FROM subscription WHERE {chosen} ORDER BY id FOR NO KEY UPDATE
), changed AS (
    UPDATE subscription SET tags = ARRAY({tags})
    FROM locked WHERE subscription.id = locked.id AND {changes}
    RETURNING subscriber_id, newsletter
)
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(at)s, %(actor)s, %(what)s, %(detail)s FROM changed
"""


def tag(
    session: Session,
    chosen: Collection[int] | WholeList,
    tags: Collection[str],
    *,
    off: bool,
    actor: str,
    now: datetime,
) -> int:
    """Put tags on, or take them off; return how many subscriptions that changed."""
    where = _condition(chosen, now)
    values = {
        "actor": actor,
        "at": now,
        "detail": Jsonb({"tags": sorted(tags)}),
        "tags": sorted(tags),
        "what": "untagged" if off else "tagged",
        **where.values,
    }
    change = (_REMOVED, _HAS_ONE) if off else (_ADDED, _LACKS_ONE)
    return execute(session, _tag(where.sql, *change), values)


def _condition(chosen: Collection[int] | WholeList, now: datetime) -> Condition:
    if isinstance(chosen, WholeList):
        return condition(chosen.newsletter, chosen.within, now.astimezone(UTC).date())
    return Condition("id = ANY(%(ids)s) AND undone_at IS NULL", {"ids": list(chosen)})
