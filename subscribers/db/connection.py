"""The driver's own connection: COPY, arrays and JSON are PostgreSQL's, not SQLAlchemy's."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from sqlalchemy import Engine


@contextmanager
def transaction(engine: Engine) -> Generator[Connection[Any]]:
    """Lend the driver's connection for one transaction."""
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, Connection)
        yield driver


@contextmanager
def statement(engine: Engine) -> Generator[Connection[Any]]:
    """Lend the driver's connection for single statements, each a transaction by itself.

    It spares the way there and back for BEGIN and COMMIT, which is half the time of a short one.
    """
    lent = engine.raw_connection()
    try:
        driver = lent.driver_connection
        assert isinstance(driver, Connection)
        driver.autocommit = True
        try:
            yield driver
        finally:
            if driver.closed:
                lent.invalidate()
            else:
                driver.autocommit = False
    finally:
        lent.close()


def rows(connection: Connection[Any], query: str, values: Mapping[str, Any]) -> list[Any]:
    """Return the rows as dictionaries."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
