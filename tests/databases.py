"""Databases of a test's own: copies of the one that has all tables, and as empty.

To make and drop a copy, to connect to it and to warm up both sides costs more than most tests do
with it. So a test hands its copy on to the next, emptied: see `Reused`.
"""

import itertools
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine, event, make_url

_serial = itertools.count()


@contextmanager
def fresh_database(postgres: str, template: str) -> Generator[str]:
    """Yield the URL of a copy, and drop it afterwards."""
    name = f"test_{next(_serial)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
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


class Reused:
    """One copy for one test after another; none finds what another left.

    Rows are removed, sequences begin anew, and what a migration wrote stands as it stood. Where a
    test changed more than rows, or still has a connection in use, the next gets another copy.
    """

    def __init__(self, postgres: str, template: str) -> None:
        self._postgres, self._template = postgres, template
        self._copy: Copy | None = None
        self._held = ExitStack()

    @contextmanager
    def lent(self) -> Generator["Copy"]:
        """Lend the copy to a test."""
        if self._copy is None:
            url = self._held.enter_context(fresh_database(self._postgres, self._template))
            self._copy = self._held.enter_context(_opened_copy(url))
        yield self._copy
        if not self._copy.emptied():
            self.drop()

    def drop(self) -> None:
        """Drop the copy; the next test gets another."""
        self._copy = None
        self._held.close()


class Copy:
    """A copy, with what is needed to empty it."""

    def __init__(self, url: str, engine: Engine, own: psycopg.Connection[Any]) -> None:
        self.url, self.engine, self._own = url, engine, own
        self._kept: set[int] = {own.info.backend_pid}  #: who may stay connected
        self._schema = self._read(_SCHEMA)
        self._tables = self._read(_TABLES)
        self._seeded = {table: self._rows(table) for (table,) in self._read(_FILLED)}
        event.listen(engine, "connect", self._connected)

    def emptied(self) -> bool:
        """Bring everything back to how it was; False if that cannot be."""
        if self.engine.pool.checkedout():  # type: ignore[attr-defined]
            return False
        try:
            self._own.execute(_END_OTHERS, [list(self._kept)])
            if self._read(_LOCKED):
                return False
            self._empty()
            return self._read(_SCHEMA) == self._schema
        except psycopg.Error:
            return False

    def _empty(self) -> None:
        for table in set(self._read(_TABLES)) - set(self._tables):
            self._own.execute(_statement("DROP TABLE IF EXISTS {} CASCADE", table))
        filled = [table for (table,) in self._read(_FILLED)]
        if tables := [one for one in filled if one not in self._seeded]:
            self._own.execute(_statement("TRUNCATE {} CASCADE", tables))
        self._own.execute(_RESTART)
        for table, rows in self._seeded.items():
            if self._rows(table) != rows:
                self._own.execute(_statement("DELETE FROM {}", [table]))
                with self._own.cursor().copy(_statement("COPY {} FROM STDIN", [table])) as copy:
                    copy.write(b"".join(rows))

    def _rows(self, table: str) -> list[bytes]:
        with self._own.cursor().copy(_statement("COPY {} TO STDOUT", [table])) as copy:
            return [bytes(row) for row in copy]

    def _read(self, query: Any) -> list[Any]:
        return self._own.execute(query).fetchall()

    def _connected(self, connection: Any, _record: object) -> None:
        self._kept.add(connection.info.backend_pid)


@contextmanager
def _opened_copy(url: str) -> Iterator[Copy]:
    # No trigger fires for who empties: neither what forbids it nor what follows from it.
    options = "-c session_replication_role=replica -c lock_timeout=5000"
    with (
        psycopg.connect(url, autocommit=True, options=options) as own,
        opened(url) as engine,
    ):
        yield Copy(url, engine, own)


def _statement(text: Any, tables: Iterable[str]) -> sql.Composed:
    return sql.SQL(text).format(sql.SQL(", ").join(map(sql.Identifier, tables)))


_FILLED = """
SELECT relname FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
 ORDER BY relname
"""
_RESTART = """
SELECT setval(seqrelid, seqstart, false) FROM pg_sequence
 WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL (%s)
"""
_LOCKED = """
SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
 WHERE locktype = 'advisory' AND datname = current_database()
"""
#: What a test could change besides rows, as one row of sums over the catalogue.
_SCHEMA = """
WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace),
facts (fact) AS (
    SELECT concat_ws(' ', oid, relname, relkind, reloptions, relchecks, relhassubclass) FROM ours
    UNION ALL
    SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull, atthasdef, attisdropped)
      FROM pg_attribute WHERE attrelid IN (SELECT oid FROM ours)
    UNION ALL
    SELECT concat_ws(' ', inhrelid, inhparent, inhseqno, inhdetachpending) FROM pg_inherits
    UNION ALL SELECT concat_ws(' ', oid, conname, convalidated) FROM pg_constraint
    UNION ALL SELECT concat_ws(' ', oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', oid, proname, xmin) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT concat_ws(' ', setdatabase, setrole, setconfig) FROM pg_db_role_setting
)
SELECT count(*), sum(hashtextextended(fact, 0)) FROM facts
"""
_TABLES = """
SELECT relname FROM pg_class
 WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""
