"""The health check: the database answers, its tables are this version's, and a worker lives."""

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError

from newsletter.errors import DatabaseMismatch
from newsletter.stores.database import newest_version
from subscribers.db.transaction import scalar, transaction
from subscribers.errors import DatabaseBusy

#: What a database that is busy, gone or silent makes of any access.
UNANSWERED: tuple[type[Exception], ...] = (DatabaseBusy, OperationalError, psycopg.OperationalError)

#: What PostgreSQL makes of a value that none of its columns can hold, such as a zero byte.
UNREADABLE: tuple[type[Exception], ...] = (DataError, psycopg.DataError)

#: Procrastinate's workers write a heartbeat every 10 s; three that are missing are no accident.
WORKERS = """
    SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 s'
"""


def require_no_workers(engine: Engine) -> None:
    """Raise DatabaseMismatch while a worker lives, which knows the present tables only."""
    with transaction(engine) as session:
        if workers := scalar(session, WORKERS):
            raise DatabaseMismatch(
                f"{workers} of its workers run, on tables as they are: stop `serve`, `worker` and "
                "`scheduler` everywhere first, and wait half a minute for one that was killed"
            )


def check_health(engine: Engine) -> dict[str, bool]:
    """Return each check and whether it passes; nothing is raised for a database that is gone."""
    try:
        with transaction(engine) as session:
            version = scalar(session, "SELECT version_num FROM alembic_version")
            workers = scalar(session, WORKERS)
    except (SQLAlchemyError, psycopg.Error, DatabaseBusy):
        return {"database": False, "migrations": False, "worker": False}
    return {"database": True, "migrations": version == newest_version(), "worker": workers > 0}
