"""What stores share: single statements, each in a transaction of its own."""

from typing import Any

from sqlalchemy import Engine

from subscribers.db.transaction import execute, retried, rows, transaction


class DatabaseStore:
    """Reads and writes tables of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        def run() -> list[dict[str, Any]]:
            with transaction(self._engine) as session:
                return rows(session, statement, values)

        return retried(run)

    def _execute(self, statement: str, **values: Any) -> int:
        def run() -> int:
            with transaction(self._engine) as session:
                return execute(session, statement, values)

        return retried(run)
