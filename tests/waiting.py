"""Two at once: go on as soon as one of them waits for the other."""

import time

from sqlalchemy import Engine, text

_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def until_somebody_waits(engine: Engine, waiting: int = 1) -> None:
    """Return once so many connections to this database wait for a lock."""
    patience = time.monotonic() + 10
    with engine.connect() as onlooker:
        while onlooker.execute(_WAITS).scalar_one() < waiting:
            assert time.monotonic() < patience, "nobody waits"
            onlooker.rollback()
