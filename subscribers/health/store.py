"""List health in PostgreSQL: each statement reads the narrow table once."""
# The pieces put together here are this module's own.
# ruff: noqa: S608

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from psycopg import Connection
from sqlalchemy import Engine

from subscribers.db.connection import rows, transaction
from subscribers.health.service import SILENCES, TROUBLE_DAYS, Figures, Waiting
from subscribers.model import AudienceCounts, Frequency, SuppressionReason

# As the view `audience` has it, which also fetches what is not asked for here.
_STANDING = """
SELECT subscription.*, silent.id IS NOT NULL AS suppressed,
       status = 'active' AND paused_at IS NULL AND silent.id IS NULL AS mailable
FROM subscription
LEFT JOIN (
    SELECT subscriber.id FROM subscriber JOIN suppression USING (email_key)
) AS silent ON silent.id = subscription.subscriber_id
WHERE newsletter = %(newsletter)s AND undone_at IS NULL
"""

_INACTIVE = ",\n".join(
    f"""       count(*) FILTER (
           WHERE mailable AND created_at < %(today)s - interval '{days} days'
             AND coalesce(engaged_on < %(today)s - {days}, true)) AS inactive_{days}"""
    for days in SILENCES
)

_COUNTS = f"""
SELECT count(*) FILTER (WHERE mailable) AS mailable,
       count(*) FILTER (WHERE suppressed) AS suppressed,
       count(*) FILTER (WHERE NOT suppressed AND status <> 'active') AS ended,
       count(*) FILTER (WHERE NOT suppressed AND status = 'active' AND paused_at IS NOT NULL)
           AS paused,
       count(*) FILTER (WHERE mailable AND engaged_on IS NULL) AS never,
{_INACTIVE}
FROM ({_STANDING}) AS standing
"""

_CHOICES = f"""
SELECT slug, frequency, sum(readers)::bigint AS readers
FROM (
    SELECT topic_set_id, frequency, count(*) AS readers FROM ({_STANDING}) AS standing
    WHERE mailable GROUP BY topic_set_id, frequency
) AS chosen
JOIN topic_set ON topic_set.id = topic_set_id
CROSS JOIN LATERAL (SELECT NULL UNION ALL SELECT unnest(slugs)) AS each (slug)
GROUP BY slug, frequency
"""

_SUPPRESSED = """
SELECT reason, count(*), count(*) FILTER (WHERE since >= %(troubles_since)s) AS latest
FROM suppression
JOIN subscriber USING (email_key)
JOIN subscription ON subscription.subscriber_id = subscriber.id
WHERE newsletter = %(newsletter)s AND undone_at IS NULL
GROUP BY reason
"""

_BY_DAY = """
SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS joined, 0 AS left
FROM subscription
WHERE newsletter = %(newsletter)s AND undone_at IS NULL AND created_at >= %(since)s GROUP BY day
UNION ALL
SELECT (ended_at AT TIME ZONE 'UTC')::date AS day, 0, count(*)
FROM subscription
WHERE newsletter = %(newsletter)s AND undone_at IS NULL AND ended_at >= %(since)s GROUP BY day
"""

_WAITING = """
SELECT count(*) FILTER (WHERE expires_at > %(now)s) AS open,
       min(asked_at) FILTER (WHERE expires_at > %(now)s) AS oldest,
       count(*) FILTER (WHERE expires_at <= %(now)s) AS expired
FROM signup WHERE newsletter = %(newsletter)s
"""


class PostgresHealth:
    """A `subscribers.health.service.HealthStore` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        # Several questions about one moment.
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")

    def figures(self, newsletter: str, *, now: datetime, since: date) -> Figures:
        """Return everything, with who came and went by day since then."""
        today = now.astimezone(UTC).date()
        values = {
            "newsletter": newsletter,
            "now": now,
            "since": datetime.combine(since, time(), UTC),
            "today": today,
            "troubles_since": now - timedelta(days=TROUBLE_DAYS),
        }
        with transaction(self._snapshots) as connection:
            connection.execute("SET LOCAL TIME ZONE 'UTC'")
            connection.execute("SET LOCAL jit = off")
            return _figures(connection, values)


def _figures(connection: Connection[Any], values: Mapping[str, object]) -> Figures:
    [counts] = rows(connection, _COUNTS, values)
    [waiting] = rows(connection, _WAITING, values)
    suppressed = rows(connection, _SUPPRESSED, values)
    choices = rows(connection, _CHOICES, values)
    by_day = rows(connection, _BY_DAY, values)
    topics: dict[str, int] = {}
    for row in choices:
        if row["slug"] is not None:
            topics[row["slug"]] = topics.get(row["slug"], 0) + row["readers"]
    frequencies = {row["frequency"]: row["readers"] for row in choices if row["slug"] is None}
    return Figures(
        counts=AudienceCounts(
            **{name: counts[name] for name in ("mailable", "suppressed", "ended", "paused")}
        ),
        suppressed=_by_reason(suppressed, "count"),
        silenced=_by_reason(suppressed, "latest"),
        joined={row["day"]: row["joined"] for row in by_day if row["joined"]},
        left={row["day"]: row["left"] for row in by_day if row["left"]},
        waiting=Waiting(**waiting),
        inactive={days: counts[f"inactive_{days}"] for days in SILENCES},
        never=counts["never"],
        frequencies={one: frequencies.get(one.value, 0) for one in Frequency},
        topics=topics,
    )


def _by_reason(found: list[Any], column: str) -> dict[SuppressionReason, int]:
    counts = {row["reason"]: row[column] for row in found}
    return {reason: counts.get(reason.value, 0) for reason in SuppressionReason}
