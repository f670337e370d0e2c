"""The one way into the database: a transaction is a SQLModel session on the engine.

Plain statements on one table are `session.exec(select(...))` over the rows' classes. Set-based SQL
(plan, claim, ladder, import, segments) is a named statement that runs on the driver's cursor with
`%(name)s` parameters, in the same transaction: COPY, arrays and JSON are PostgreSQL's own.
See docs/decisions/one-database-idiom.md.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from sys import exception
from typing import Any, LiteralString, TypeVar, cast

from psycopg import Connection, Error
from psycopg.errors import (
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
)
from psycopg.rows import dict_row
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlmodel import Session

from subscribers.db.read_only import only_reads
from subscribers.errors import ConcurrentChange, DatabaseBusy

Where = Session | Connection[Any]
Values = Mapping[str, Any] | None
Result = TypeVar("Result")

#: A statement that may simply be tried again: another transaction was in its way for too long.
IN_THE_WAY = (LockNotAvailable, QueryCanceled, DeadlockDetected, SerializationFailure)


@contextmanager
def transaction(engine: Engine, *, snapshot: bool = False) -> Generator[Session]:
    """Open a session for one transaction; with `snapshot` all of it reads one state of the data.

    Where PostgreSQL undid it for the sake of another one, ConcurrentChange says so; where another
    one was in its way for longer than the engine's limits allow, DatabaseBusy does.
    """
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if snapshot else {}
    if only_reads():
        options["postgresql_readonly"] = True
    with (
        _named(),
        engine.connect().execution_options(**options) as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def successive(engine: Engine) -> Generator[Callable[[], AbstractContextManager[Session]]]:
    """Lend what opens one transaction after another on one connection, which is closed in the end.

    What they share are temporary tables, which nobody else sees and which go with it.
    """
    with _named(), engine.connect() as connection:

        @contextmanager
        def begin() -> Generator[Session]:
            with (
                _named(),
                Session(connection, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

        try:
            yield begin
        finally:
            connection.invalidate()


@contextmanager
def _named() -> Generator[None]:
    """Raise ConcurrentChange or DatabaseBusy for what they stand for, however it is wrapped.

    KeyboardInterrupt stays what it is.
    """
    handled = exception()
    try:
        yield
    except (NoConnection, DBAPIError, Error) as error:
        if interruption := _interruption_before(error, handled):
            raise interruption from None
        if isinstance(error, NoConnection):
            raise DatabaseBusy from error
        met = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(met, IN_THE_WAY):
            raise _name_of(met) from error
        raise


def _interruption_before(
    error: BaseException, handled: BaseException | None
) -> KeyboardInterrupt | None:
    """Return the Ctrl-C that an error came from; None if it came from none.

    An interrupted statement may leave a connection that cannot even be rolled back; whoever
    interrupted it need not hear of that. What was `handled` when the transaction began, and what
    is behind it, is no concern of its statements.
    """
    before: BaseException | None = error
    seen: set[int] = set()  # whoever sets a context may close a ring
    while before and before is not handled and id(before) not in seen:
        if isinstance(before, KeyboardInterrupt):
            return before
        seen.add(id(before))
        before = before.__context__
    return None


def _name_of(error: Exception) -> ConcurrentChange | DatabaseBusy:
    undone = isinstance(error, SerializationFailure | DeadlockDetected)
    return ConcurrentChange() if undone else DatabaseBusy()


def retried(act: Callable[[], Result], *, times: int = 5) -> Result:
    """Return what `act` returns; it is done again where another transaction undid it."""
    for _ in range(times - 1):
        with suppress(ConcurrentChange):
            return act()
    return act()


@contextmanager
def autocommit(engine: Engine) -> Generator[Connection[Any]]:
    """Lend the driver's connection for single statements, each a transaction by itself.

    This saves the round trips of BEGIN and COMMIT, which are half the time of a short statement.
    """
    with _named(), closing(engine.raw_connection()) as lent:
        connection = lent.driver_connection
        assert isinstance(connection, Connection)
        # In autocommit psycopg sends no BEGIN, and so cannot make a statement read-only.
        reading = only_reads()
        connection.autocommit, connection.read_only = not reading, reading or None
        try:
            yield connection
        finally:
            if connection.closed:
                lent.invalidate()
            else:
                connection.rollback()
                connection.autocommit, connection.read_only = False, None


def driver(where: Where) -> Connection[Any]:
    """Return the driver's connection of a session's transaction, or the one that is given."""
    if isinstance(where, Connection):
        return where
    connection = where.connection().connection.driver_connection
    assert connection is not None  # of an open transaction
    return cast("Connection[Any]", connection)


def execute(where: Where, statement: str, values: Values = None) -> int:
    """Run a statement and return how many rows it concerned."""
    return driver(where).execute(cast("LiteralString", statement), values).rowcount


def rows(where: Where, statement: str, values: Values = None) -> list[dict[str, Any]]:
    with driver(where).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(cast("LiteralString", statement), values).fetchall()


def scalar(where: Where, statement: str, values: Values = None) -> Any:
    """Run a statement and return the first column of its first row; None if there is no row."""
    found = driver(where).execute(cast("LiteralString", statement), values).fetchone()
    return None if found is None else found[0]


class DatabaseStore:
    """Reads and writes tables of one database; a single statement is a transaction of its own."""

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
