"""The one way into the database: a transaction is a SQLModel session on the engine.

Plain statements on one table are `session.exec(select(...))` over the rows' classes. Set-based SQL
(plan, claim, ladder, import, segments) is a named statement that runs on the driver's cursor with
`%(name)s` parameters, in the same transaction: COPY, arrays and JSON are PostgreSQL's own.
See docs/decisions/one-database-idiom.md.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString, cast

from psycopg import Connection
from psycopg.rows import dict_row
from sqlalchemy import Engine
from sqlmodel import Session


@contextmanager
def transaction(engine: Engine, *, snapshot: bool = False) -> Generator[Session]:
    """Open a session for one transaction; with `snapshot` all of it reads one state of the data."""
    options = {"isolation_level": "REPEATABLE READ"} if snapshot else {}
    with (
        engine.connect().execution_options(**options) as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def autocommit(engine: Engine) -> Generator[Connection[Any]]:
    """Lend the driver's connection for single statements, each a transaction by itself.

    This saves the round trips of BEGIN and COMMIT, which are half the time of a short statement.
    """
    lent = engine.raw_connection()
    try:
        connection = lent.driver_connection
        assert isinstance(connection, Connection)
        connection.autocommit = True
        try:
            yield connection
        finally:
            if connection.closed:
                lent.invalidate()
            else:
                connection.autocommit = False
    finally:
        lent.close()


def driver(session: Session) -> Connection[Any]:
    """Return the driver's connection of a session's transaction."""
    connection = session.connection().connection.driver_connection
    assert connection is not None  # of an open transaction
    return cast("Connection[Any]", connection)


def execute(
    where: Session | Connection[Any], statement: str, values: Mapping[str, Any] | None = None
) -> int:
    """Run a statement and return how many rows it concerned."""
    connection = driver(where) if isinstance(where, Session) else where
    return connection.execute(cast("LiteralString", statement), values).rowcount


def rows(
    where: Session | Connection[Any], statement: str, values: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Run a statement and return its rows as dictionaries."""
    connection = driver(where) if isinstance(where, Session) else where
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(cast("LiteralString", statement), values).fetchall()


def scalar(
    where: Session | Connection[Any], statement: str, values: Mapping[str, Any] | None = None
) -> Any:
    """Run a statement and return the first column of its first row; None if there is no row."""
    connection = driver(where) if isinstance(where, Session) else where
    found = connection.execute(cast("LiteralString", statement), values).fetchone()
    return None if found is None else found[0]
