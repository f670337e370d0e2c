"""Engine, migrations, and one error for a database that does not answer."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import ArgumentError, OperationalError

from newsletter.errors import ConfigurationError, DatabaseMismatch, DatabaseUnreachable
from newsletter.stores.duties import LOSS_IS_NOTICED, WORK, BoundedConnection, Duty

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = {"key": 7_341_127_001}  #: advisory lock: two processes that start together migrate once

_OTHERS_SECONDS = 60  #: for the process that migrates
_TABLE_SECONDS = 10  #: for a table; whoever comes after a migration that waits, waits behind it

_log = logging.getLogger(__name__)

_OLDER = (
    "this database has the tables of a version before the first release, which cannot be migrated: "
    "make a new database, or delete the folder of the embedded one"
)
_NEWER = (
    "this database was made by a newer version of this program (its tables are of version {}): "
    "install that version, or name another database"
)
_OUTDATED = (
    "this database has the tables of version {}, and this program works on those of {}: stop its "
    "processes, make a backup, and run `newsletter migrate`"
)
_OTHERS = "another process has been migrating this database for {} s: try again when it is done"
_HELD = (
    "a table is in use, and was not to be had within {} s; nothing was changed: stop what uses the "
    "database, and try again"
)
_ENCODING = (
    "the database {} is encoded in {}, which cannot hold every name: make one with "
    "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name that"
)


def make_engine(url: URL | str, duty: Duty = WORK) -> Engine:
    """Return an engine for this PostgreSQL server, whose connections have one duty."""
    engine = create_engine(
        database_url(url),
        pool_size=duty.connections,
        max_overflow=0,
        pool_timeout=duty.wait,
        pool_pre_ping=True,
        hide_parameters=True,  # an error would print addresses into a log
        connect_args={"client_encoding": "utf8"},
    )

    def connect(_dialect: Any, _record: Any, _arguments: Any, parts: dict[str, Any]) -> Any:
        return BoundedConnection.open(duty, LOSS_IS_NOTICED | parts)

    event.listen(engine, "do_connect", connect)
    return engine


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
    return LOSS_IS_NOTICED | parts


def shown(url: URL) -> str:
    """Return a URL for people's eyes, without the password."""
    public = url.difference_update_query(["password", "sslpassword"])
    return public.set(drivername="postgresql").render_as_string(hide_password=True)


def migrate(engine: Engine, *, only_new: bool = False) -> None:
    """Bring the tables up to date; DatabaseMismatch if they are not this program's.

    With `only_new`, tables are made in an empty database, and those of an older version refused.
    """
    # Not `transaction`: the lock is held over several of them.
    with reachable(engine) as connection:
        _require_unicode(connection)
        if _is_current(connection):
            return
        if only_new and (version := _version(connection)):
            raise DatabaseMismatch(_OUTDATED.format(version, newest_version()))
        with _alone(connection):
            if not _is_current(connection):
                _upgrade(connection)


def tables_version(engine: Engine) -> str | None:
    """Return the version of the database's tables; None if it has none."""
    with reachable(engine) as connection:
        return _version(connection)


@contextmanager
def _alone(connection: Connection) -> Generator[None]:
    """Hold the lock of migrations: of processes that start together, one migrates."""
    if not _ask(connection, "SELECT pg_try_advisory_lock(%(key)s)", _LOCK):
        _log.warning("another process migrates: waiting", extra={"action": "migration.waiting"})
        _wait_for_lock(connection)
    try:
        yield
    finally:
        connection.rollback()
        _ask(connection, "SELECT pg_advisory_unlock(%(key)s)", _LOCK)
        connection.commit()


def _wait_for_lock(connection: Connection) -> None:
    _limit_locks(connection, _OTHERS_SECONDS)
    try:
        _ask(connection, "SELECT pg_advisory_lock(%(key)s)", _LOCK)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise DatabaseMismatch(_OTHERS.format(_OTHERS_SECONDS)) from error
    connection.commit()


def _limit_locks(connection: Connection, seconds: float) -> None:
    """Let no statement of this transaction wait longer for a lock."""
    milliseconds = {"limit": str(int(seconds * 1000))}
    _ask(connection, "SELECT set_config('lock_timeout', %(limit)s, true)", milliseconds)


def _require_unicode(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    encoding = driver.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseMismatch(_ENCODING.format(shown(connection.engine.url), encoding))


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


def newest_version() -> str:
    """Return the version of the tables that this program works on."""
    return max(_versions())


@cache
def _versions() -> frozenset[str]:
    """Return the versions this program knows, by the files' names: Alembic takes long to load."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*.py")
    return frozenset(path.name.partition("_")[0] for path in files)


def _is_current(connection: Connection) -> bool:
    """Return whether there is nothing to migrate; DatabaseMismatch if it cannot be migrated."""
    if _has(connection, "post_office"):
        raise DatabaseMismatch(_OLDER)
    version = _version(connection)
    if version and version not in _versions():
        raise DatabaseMismatch(_NEWER.format(version))
    return version == newest_version() and _has(connection, "procrastinate_jobs")


def _version(connection: Connection) -> str | None:
    if not _has(connection, "alembic_version"):
        return None
    return _ask(connection, "SELECT version_num FROM alembic_version")


def _has(connection: Connection, table: str) -> bool:
    return _ask(connection, "SELECT to_regclass(%(table)s)", {"table": table}) is not None


def _ask(connection: Connection, question: str, values: dict[str, Any] | None = None) -> Any:
    return connection.exec_driver_sql(question, values).scalar()


def _upgrade(connection: Connection) -> None:
    # Imported here: they take half a second, and nearly every start finds nothing to migrate.
    from alembic import command  # noqa: PLC0415  # half a second
    from alembic.config import Config  # noqa: PLC0415  # the same
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  # the same

    config = Config()
    # A percent sign would begin a placeholder.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    _limit_locks(connection, _TABLE_SECONDS)
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise DatabaseMismatch(_HELD.format(_TABLE_SECONDS)) from error
    if not _has(connection, "procrastinate_jobs"):  # the queue's tables come with its library
        connection.exec_driver_sql(
            SchemaManager.get_schema(), execution_options={"no_parameters": True}
        )
    connection.commit()
