"""What the clock has seen, the days it named as missed, and what operators are told."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import ScheduleCursor, ScheduledIssueStatus

_BEGIN = """
    INSERT INTO watch (newsletter, began, until) VALUES (:newsletter, :now, :now)
    ON CONFLICT (newsletter) DO NOTHING
"""

_STANDINGS = """
    SELECT issue.date, issue.state, array_remove(array_agg(notice.kind), NULL) AS told
      FROM issue LEFT JOIN notice USING (newsletter, date)
     WHERE issue.newsletter = :newsletter AND issue.date >= :since
     GROUP BY issue.date, issue.state
"""

#: Its number goes to the next issue, and an approval of it counts no longer.
_MISS = """
    INSERT INTO issue AS old (newsletter, date, state, reason, assembled_at)
    VALUES (:newsletter, :date, 'missed', :sentence, :now)
    ON CONFLICT (newsletter, date) DO UPDATE
       SET state = excluded.state, reason = excluded.reason, number = NULL, galley = NULL,
           content_hash = NULL, approved_hash = NULL, approved_by = NULL, approved_at = NULL
     WHERE old.state IN ('empty', 'draft', 'approved')
    RETURNING id
"""

_KEEP = """
    INSERT INTO notice (at, newsletter, date, kind, sentence)
    SELECT :now, :newsletter, :date, :kind, :sentence
     WHERE NOT EXISTS (SELECT 1 FROM notice
                        WHERE newsletter = :newsletter AND date = :date AND kind = :kind
                          AND sentence = :sentence)
"""

#: A notice is known by what it says, as when it is kept.
_THIS = "newsletter = :newsletter AND date = :date AND kind = :kind AND sentence = :sentence"

_HEARD = f"SELECT unnest(heard) FROM notice WHERE {_THIS}"  # noqa: S608  # from the line above

_HEAR = f"""
    UPDATE notice SET heard = array_append(heard, :channel)
     WHERE {_THIS} AND NOT :channel = ANY(heard)
"""  # noqa: S608  # as above

_UNTOLD = """
    SELECT id, newsletter, date, kind, sentence FROM notice WHERE told_at IS NULL ORDER BY id
"""


class ScheduleStore:
    """WatchBook on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def watch(self, newsletter: str, now: datetime) -> ScheduleCursor:
        """Return what the clock has seen of a newsletter; the first time, it begins now."""
        with self._engine.begin() as connection:
            connection.execute(text(_BEGIN), {"newsletter": newsletter, "now": now})
            row = connection.execute(
                text("SELECT began, until FROM watch WHERE newsletter = :n"), {"n": newsletter}
            ).one()
            return ScheduleCursor(began=row.began, until=row.until)

    def watched(self, newsletter: str, until: datetime) -> None:
        """Write down that all that was due until then is done."""
        with self._engine.begin() as connection:
            connection.execute(
                text("UPDATE watch SET until = :until WHERE newsletter = :n"),
                {"n": newsletter, "until": until},
            )

    def standings(self, newsletter: str, since: date) -> dict[date, ScheduledIssueStatus]:
        """Return how the issues since a date stand."""
        values = {"newsletter": newsletter, "since": since}
        with self._engine.begin() as connection:
            return {
                row.date: ScheduledIssueStatus(
                    state=IssueStatus(row.state), told=frozenset(map(OperatorAlertKind, row.told))
                )
                for row in connection.execute(text(_STANDINGS), values)
            }

    def miss(self, notice: OperatorAlert, now: datetime) -> None:
        """Name the day as missed, and free its briefs, unless its issue is on its way."""
        with self._engine.begin() as connection:
            missed = connection.execute(text(_MISS), _values(notice, now)).scalar()
            if missed is None:
                return
            connection.execute(text("DELETE FROM issue_brief WHERE issue_id = :i"), {"i": missed})
            _keep(connection, notice, now)

    def keep(self, notice: OperatorAlert, now: datetime) -> None:
        """Keep what is to be told; what was said word for word is not said again."""
        with self._engine.begin() as connection:
            _keep(connection, notice, now)

    def untold(self) -> tuple[tuple[int, OperatorAlert], ...]:
        """Return, by number, what operators were not told yet, the oldest first."""
        with self._engine.begin() as connection:
            rows = connection.execute(text(_UNTOLD)).all()
        return tuple(
            (
                number,
                OperatorAlert(
                    kind=OperatorAlertKind(kind), newsletter=slug, date=on, sentence=sentence
                ),
            )
            for number, slug, on, kind, sentence in rows
        )

    def heard(self, notice: OperatorAlert) -> frozenset[str]:
        """Return the channels that have taken a notice."""
        with self._engine.begin() as connection:
            return frozenset(connection.execute(text(_HEARD), _named(notice)).scalars())

    def hear(self, notice: OperatorAlert, channel: str) -> None:
        """Write down that a channel took a notice."""
        with self._engine.begin() as connection:
            connection.execute(text(_HEAR), _named(notice) | {"channel": channel})

    def told(self, number: int, now: datetime) -> None:
        """Write down that operators were told."""
        with self._engine.begin() as connection:
            connection.execute(
                text("UPDATE notice SET told_at = :now WHERE id = :id"), {"id": number, "now": now}
            )


def _keep(connection: Connection, notice: OperatorAlert, now: datetime) -> None:
    connection.execute(text(_KEEP), _values(notice, now))


def _values(notice: OperatorAlert, now: datetime) -> dict[str, Any]:
    return _named(notice) | {"now": now}


def _named(notice: OperatorAlert) -> dict[str, Any]:
    return {
        "newsletter": notice.newsletter,
        "date": notice.date,
        "kind": notice.kind,
        "sentence": notice.sentence,
    }
