"""Engine, migrations, and one error for a database that does not answer."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import ArgumentError, OperationalError

from newsletter.errors import ConfigurationError, DatabaseUnreachable

_MIGRATIONS = Path(__file__).parent / "migrations"
_CONNECT_SECONDS = 5
_ONE_AT_A_TIME = 7_341_127_001  #: advisory lock: two processes that start together migrate once


def make_engine(url: URL | str) -> Engine:
    """Return an engine for this PostgreSQL server."""
    return create_engine(
        database_url(url),
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        hide_parameters=True,  # an error would print addresses into a log
        connect_args={"connect_timeout": _CONNECT_SECONDS},
    )


def database_url(url: URL | str) -> URL:
    """Return the parts of this PostgreSQL URL, whichever way its driver is spelled."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("NEWSLETTER_DATABASE_URL is not a database URL") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError("NEWSLETTER_DATABASE_URL must be a postgresql:// URL")
    return parsed.set(drivername="postgresql+psycopg")


def connection_parts(url: URL) -> dict[str, Any]:
    """Return what the driver itself is connected with; nothing is rendered and parsed anew."""
    dialect: Any = PGDialect_psycopg()
    parts: dict[str, Any] = dialect.create_connect_args(url)[1]
    return {"connect_timeout": _CONNECT_SECONDS} | parts


def shown(url: URL) -> str:
    """Return a URL for people's eyes, without the password."""
    public = url.difference_update_query(["password", "sslpassword"])
    return public.set(drivername="postgresql").render_as_string(hide_password=True)


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; nothing happens when they are."""
    with reachable(engine) as connection:
        if _is_current(connection):
            return
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
        try:
            _upgrade(connection)
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ONE_AT_A_TIME})
            connection.commit()


@contextmanager
def reachable(engine: Engine) -> Generator[Connection]:
    """Yield a connection; DatabaseUnreachable, without the password, if there is none to be had."""
    try:
        connection = engine.connect()
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        where = shown(engine.url)
        raise DatabaseUnreachable(f"no PostgreSQL answers at {where}: {reason}") from error
    with connection:
        yield connection


def _is_current(connection: Connection) -> bool:
    """Tell, without the migration tool, whether the newest migration has been here."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return False
    newest = max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return bool(version) and newest.startswith(f"{version}_") and _has_queue(connection)


def _has_queue(connection: Connection) -> bool:
    found = connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar()
    return found is not None


def _upgrade(connection: Connection) -> None:
    # Imported here: they take half a second, and nearly every start finds nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from procrastinate.schema import SchemaManager  # noqa: PLC0415

    config = Config()
    # A percent sign would begin a placeholder.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    # The queue's tables come with its library.
    if not _has_queue(connection):
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(SchemaManager.get_schema())
    connection.commit()
