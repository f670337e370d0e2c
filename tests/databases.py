"""Databases of a test's own: copies of the one that has all tables, and gone when it is over."""

import itertools
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine, make_url

_serial = itertools.count()


@contextmanager
def fresh_database(postgres: str, template: str) -> Generator[str]:
    """Yield the URL of a copy, and drop it afterwards."""
    name = f"test_{next(_serial)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield make_url(postgres).set(database=name).render_as_string(False)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def opened(url: str) -> Generator[Engine]:
    """Yield an engine on a database, and dispose of it afterwards."""
    from newsletter.stores.database import make_engine

    engine = make_engine(url)
    yield engine
    engine.dispose()
