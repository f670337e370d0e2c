"""List health: how a list grows, who of it can be written to, and who reads."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from subscribers.health.figures import list_figures
from subscribers.health.model import SPANS, WEEKS, Growth, HealthFigures, Week


class ListHealth:
    """Reports how a list grows and who reads it. Days and weeks are those of UTC."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def report(self, newsletter: str, now: datetime) -> HealthFigures:
        """Return the newsletter's figures and its growth."""
        today = now.astimezone(UTC).date()
        monday = today - timedelta(days=today.weekday())
        mondays = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
        found = list_figures(self._engine, newsletter, now=now, since=mondays[0])

        def growth(since: date, until: date) -> Growth:
            return Growth(
                joined=_within(found.joined, since, until), left=_within(found.left, since, until)
            )

        weeks = ((day, growth(day, day + timedelta(weeks=1))) for day in mondays)
        tomorrow = today + timedelta(days=1)
        return HealthFigures(
            at=now,
            figures=found,
            weeks=tuple(Week(begins=day, joined=g.joined, left=g.left) for day, g in weeks),
            latest={days: growth(tomorrow - timedelta(days=days), tomorrow) for days in SPANS},
        )


def _within(days: Mapping[date, int], since: date, until: date) -> int:
    return sum(count for day, count in days.items() if since <= day < until)
