"""Waiting until one of two connections waits for the other."""

import time

from sqlalchemy import Engine, text

_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def until_somebody_waits(engine: Engine, waiting: int = 1) -> None:
    """Return once so many connections to this database wait for a lock."""
    deadline = time.monotonic() + 60
    with engine.connect() as observer:
        while observer.execute(_WAITS).scalar_one() < waiting:
            assert time.monotonic() < deadline, "nobody waits"
            observer.rollback()
