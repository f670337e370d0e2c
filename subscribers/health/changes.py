"""What a list gained and lost since a moment, counted without reading the list.

Acts of consent are only ever added, so an index of their moments is small and quick. An import
writes no such row for each of its readers, but their number. See `subscribers.lists.importing`.
"""

from datetime import datetime

from sqlalchemy import Engine

from subscribers.db.transaction import execute, rows, transaction
from subscribers.health.model import ListChange

#: Whoever came back joined again. An import that is undone leaves an act for each of its readers,
#: who joined nothing.
_SINCE = """
WITH act AS (
    SELECT count(*) FILTER (WHERE act <> 'withdrawn') AS joined,
           count(*) FILTER (WHERE act = 'withdrawn') AS left
    FROM consent
    WHERE at >= %(since)s AND newsletter = %(newsletter)s
      AND act IN ('confirmed', 'imported', 'resumed', 'withdrawn') AND NOT detail ? 'undone'
), import AS (
    SELECT COALESCE(sum((counts ->> 'added')::bigint), 0) AS joined FROM list_import
    WHERE at >= %(since)s AND newsletter = %(newsletter)s AND undone_at IS NULL
), pending AS (
    SELECT count(DISTINCT subscription_id) AS left
    FROM pending_unsubscribe JOIN subscription ON subscription.id = subscription_id
    WHERE at >= %(since)s AND newsletter = %(newsletter)s AND status = 'active'
), gone AS (
    SELECT count(*) AS suppressed
    FROM suppression JOIN subscriber USING (email_key)
    JOIN subscription ON subscription.subscriber_id = subscriber.id
    WHERE since >= %(since)s AND newsletter = %(newsletter)s AND undone_at IS NULL
)
SELECT (act.joined + import.joined)::bigint AS joined, act.left + pending.left AS left, suppressed
FROM act, import, pending, gone
"""

#: The few that are new are looked up by key, and a statement this short needs no compiling.
_QUICKLY = """
SET LOCAL jit = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off
"""


class ListChangeCounts:
    """Counts what changed in a newsletter's list."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, newsletter: str, moment: datetime) -> ListChange:
        """Return who joined, left, and was suppressed since a moment."""
        values = {"newsletter": newsletter, "since": moment}
        with transaction(self._engine) as session:
            execute(session, _QUICKLY)
            [found] = rows(session, _SINCE, values)
        return ListChange(**found)
