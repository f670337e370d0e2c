"""What people and policies decided: append-only."""

from typing import Any

from sqlalchemy import Engine, text

from newsletter.ports import Clock, Decision
from newsletter.stores.sql import as_json


class DecisionLog:
    """Decisions on PostgreSQL."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def note(self, actor: str, subject: str, verb: str, detail: dict[str, Any]) -> None:
        """Append a decision."""
        with self._engine.begin() as connection:
            connection.execute(
                text("""
                    INSERT INTO decision (at, actor, subject, verb, detail)
                    VALUES (:at, :actor, :subject, :verb, CAST(:detail AS jsonb))
                """),
                {
                    "at": self._clock.now(),
                    "actor": actor,
                    "subject": subject,
                    "verb": verb,
                    "detail": as_json(detail),
                },
            )

    def about(self, subject: str) -> tuple[Decision, ...]:
        """Return what was decided about a subject, the oldest first."""
        with self._engine.begin() as connection:
            rows = connection.execute(
                text("SELECT at, actor, verb, detail FROM decision WHERE subject = :s ORDER BY id"),
                {"s": subject},
            ).mappings()
            return tuple(Decision(**row) for row in rows)
