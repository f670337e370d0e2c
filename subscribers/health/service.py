"""List health: how a list grows, who of it can be written to, and who reads.

Each statement reads the narrow table once.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from subscribers.db.transaction import execute, rows, transaction
from subscribers.health.changes import ListChangeCounts
from subscribers.health.model import (
    INACTIVE_DAYS,
    RECENT_DAYS,
    SPANS,
    WEEKS,
    Growth,
    HealthFigures,
    ListChange,
    ListFigures,
    TopicGrowth,
    Waiting,
    Week,
)
from subscribers.health.topic_growth import topic_growth
from subscribers.model import AudienceCounts, Frequency, SuppressionReason

# As the view `audience` has it, which also reads what is not needed here.
_STATES = """
SELECT subscription.*, addressee.id IS NOT NULL AS suppressed,
       status = 'active' AND paused_at IS NULL AND addressee.id IS NULL AS mailable
FROM subscription
LEFT JOIN (
    SELECT subscriber.id FROM subscriber JOIN suppression USING (email_key)
) AS addressee ON addressee.id = subscription.subscriber_id
WHERE newsletter = %(newsletter)s AND undone_at IS NULL
"""

_INACTIVE = ",\n".join(
    f"""       count(*) FILTER (
           WHERE mailable AND created_at < %(today)s - interval '{days} days'
             AND coalesce(engaged_on < %(today)s - {days}, true)) AS inactive_{days}"""
    for days in INACTIVE_DAYS
)

_COUNTS = f"""
SELECT count(*) FILTER (WHERE mailable) AS mailable,
       count(*) FILTER (WHERE suppressed) AS suppressed,
       count(*) FILTER (WHERE NOT suppressed AND status <> 'active') AS ended,
       count(*) FILTER (WHERE NOT suppressed AND status = 'active' AND paused_at IS NOT NULL)
           AS paused,
       count(*) FILTER (WHERE mailable AND engaged_on IS NULL) AS never,
{_INACTIVE}
FROM ({_STATES}) AS states
"""

_CHOICES = f"""
SELECT slug, frequency, sum(readers)::bigint AS readers
FROM (
    SELECT topic_set_id, frequency, count(*) AS readers FROM ({_STATES}) AS states
    WHERE mailable GROUP BY topic_set_id, frequency
) AS chosen
JOIN topic_set ON topic_set.id = topic_set_id
CROSS JOIN LATERAL (SELECT NULL UNION ALL SELECT unnest(slugs)) AS each (slug)
GROUP BY slug, frequency
"""

_SUPPRESSED = """
SELECT reason, count(*), count(*) FILTER (WHERE since >= %(recent_since)s) AS latest
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


class ListHealth:
    """Reports how a list grows and who reads it. Days and weeks are those of UTC."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def changes(self, newsletter: str, since: datetime) -> ListChange:
        """Return what a newsletter's list gained and lost since a moment."""
        return ListChangeCounts(self._engine).since(newsletter, since)

    def topic_growth(
        self, newsletter: str, since: date, until: date, *, weekly: bool = False
    ) -> tuple[TopicGrowth, ...]:
        """Return who joined and left each topic, by day or by week; weeks begin on a Monday."""
        first = since - timedelta(days=since.weekday()) if weekly else since
        return tuple(topic_growth(self._engine, newsletter, first, until, 7 if weekly else 1))

    def report(self, newsletter: str, now: datetime) -> HealthFigures:
        today = now.astimezone(UTC).date()
        monday = today - timedelta(days=today.weekday())
        mondays = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
        values = {
            "newsletter": newsletter,
            "now": now,
            "since": datetime.combine(mondays[0], time(), UTC),
            "today": today,
            "recent_since": now - timedelta(days=RECENT_DAYS),
        }
        with transaction(self._engine, snapshot=True) as session:
            execute(session, "SET LOCAL TIME ZONE 'UTC'")
            execute(session, "SET LOCAL jit = off")
            found = _figures(session, values)

        def growth(since: date, until: date) -> Growth:
            joined, left = (
                sum(count for day, count in days.items() if since <= day < until)
                for days in (found.joined, found.left)
            )
            return Growth(joined=joined, left=left)

        weeks = ((day, growth(day, day + timedelta(weeks=1))) for day in mondays)
        tomorrow = today + timedelta(days=1)
        return HealthFigures(
            at=now,
            figures=found,
            weeks=tuple(Week(begins=day, joined=g.joined, left=g.left) for day, g in weeks),
            latest={days: growth(tomorrow - timedelta(days=days), tomorrow) for days in SPANS},
        )


def _figures(session: Session, values: Mapping[str, object]) -> ListFigures:
    [counts] = rows(session, _COUNTS, values)
    [waiting] = rows(session, _WAITING, values)
    suppressed = rows(session, _SUPPRESSED, values)
    choices = rows(session, _CHOICES, values)
    by_day = rows(session, _BY_DAY, values)
    topics: dict[str, int] = {}
    for row in choices:
        if row["slug"] is not None:
            topics[row["slug"]] = topics.get(row["slug"], 0) + row["readers"]
    frequencies = {row["frequency"]: row["readers"] for row in choices if row["slug"] is None}
    return ListFigures(
        counts=AudienceCounts(
            **{name: counts[name] for name in ("mailable", "suppressed", "ended", "paused")}
        ),
        suppressed=_by_reason(suppressed, "count"),
        recently_suppressed=_by_reason(suppressed, "latest"),
        joined={row["day"]: row["joined"] for row in by_day if row["joined"]},
        left={row["day"]: row["left"] for row in by_day if row["left"]},
        waiting=Waiting(**waiting),
        inactive={days: counts[f"inactive_{days}"] for days in INACTIVE_DAYS},
        never=counts["never"],
        frequencies={one: frequencies.get(one.value, 0) for one in Frequency},
        topics=topics,
    )


def _by_reason(found: list[Any], column: str) -> dict[SuppressionReason, int]:
    counts = {row["reason"]: row[column] for row in found}
    return {reason: counts.get(reason.value, 0) for reason in SuppressionReason}
