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


def rows(connection: Connection[Any], query: str, values: Mapping[str, Any]) -> list[Any]:
    """Return the rows as dictionaries."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
