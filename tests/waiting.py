"""Two at once: go on as soon as one of them waits for the other."""

import time

from sqlalchemy import Engine, text

_WAITS = text(
    "SELECT EXISTS (SELECT FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock')"
)


def until_somebody_waits(engine: Engine) -> None:
    """Return once a connection to this database waits for a lock."""
    patience = time.monotonic() + 10
    with engine.connect() as onlooker:
        while not onlooker.execute(_WAITS).scalar():
            assert time.monotonic() < patience, "nobody waits"
            onlooker.rollback()
