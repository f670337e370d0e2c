"""Vital signs: whether the database answers, its tables are this version's, and a worker lives."""

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

#: Procrastinate's workers write a heartbeat every 10 s; three of them missed are no accident.
WORKERS = """
    SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 s'
"""


def vital_signs(engine: Engine) -> dict[str, bool]:
    """Return each sign, and whether it is well; nothing is raised for a database that is gone."""
    try:
        with engine.connect() as connection:
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            workers = connection.execute(text(WORKERS)).scalar_one()
    except SQLAlchemyError:
        return {"database": False, "migrations": False, "worker": False}
    return {"database": True, "migrations": version == _head(), "worker": workers > 0}


@cache
def _head() -> str | None:
    return ScriptDirectory(str(Path(__file__).parent / "migrations")).get_current_head()
