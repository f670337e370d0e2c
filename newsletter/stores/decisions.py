"""What people and policies decided: append-only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from newsletter.ports import Clock
from newsletter.stores.tables import DecisionRow
from subscribers.db.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who decided what, and when."""

    at: datetime
    actor: str
    verb: str
    detail: dict[str, Any]


class DecisionLog:
    """Records who decided what about a subject."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def record(self, actor: str, subject: str, verb: str, detail: dict[str, Any]) -> None:
        row = DecisionRow(
            at=self._clock.now(), actor=actor, subject=subject, verb=verb, detail=detail
        )
        with transaction(self._engine) as session:
            session.add(row)

    def about(self, subject: str) -> tuple[Decision, ...]:
        """Return what was decided about a subject, the oldest first."""
        found = (
            select(DecisionRow).where(DecisionRow.subject == subject).order_by(col(DecisionRow.id))
        )
        with transaction(self._engine) as session:
            return tuple(
                Decision(at=row.at, actor=row.actor, verb=row.verb, detail=row.detail)
                for row in session.exec(found)
            )
