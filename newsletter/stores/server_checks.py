"""Servers that answer and yet will not do: another encoding, or a pooler that shares sessions."""

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, text

from newsletter.core.machine import ServerFacts
from newsletter.errors import DatabaseMismatch, DatabaseUnreachable
from newsletter.stores.connections import connections_allowed
from newsletter.stores.database import connection_parts, newest_version, shown

_POOLED = (
    "a pooler at {} gives each transaction another session of PostgreSQL: the locks that choose "
    "one scheduler and the calls that wake workers are lost in it, so nothing would be sent. "
    "Connect to PostgreSQL itself, or set the pooler to pool_mode = session"
)


def require_sessions(url: URL) -> None:
    """Raise DatabaseMismatch if a pooler shares sessions between transactions.

    Two open connections that PostgreSQL itself serves are two processes, and each keeps its own.
    """
    parts = connection_parts(url)
    try:
        with psycopg.connect(**parts, autocommit=True) as one, psycopg.connect(**parts) as other:
            before = _process(one)
            others = _process(other)  # its transaction stays open, and holds a session
            shared = before == others or _process(one) != before
    except psycopg.Error as error:
        raise DatabaseUnreachable(f"no PostgreSQL answers at {shown(url)}: {error}") from error
    if shared:
        raise DatabaseMismatch(_POOLED.format(shown(url)))


class ServerChecks:
    """What a server and its database are like; `embedded` is the folder of one of our own."""

    def __init__(self, engine: Engine, *, embedded: Path | None) -> None:
        self._engine, self._embedded = engine, embedded

    def described(self) -> str:
        """Return where the database is; raise DatabaseMismatch if a pooler shares its sessions."""
        require_sessions(self._engine.url)
        where = f"the embedded PostgreSQL in {self._embedded}"
        where = where if self._embedded else shown(self._engine.url)
        return f"{where}, up to date (tables of version {newest_version()})"

    def connections(self) -> int:
        """Return how many connections ordinary users may have at once."""
        return connections_allowed(self._engine)

    def facts(self) -> ServerFacts:
        """Return what the server says of itself, as far as it decides whether letters are lost."""
        with self._engine.connect() as connection:
            version = connection.execute(text("SHOW server_version_num")).scalar_one()
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
            settings = {name: value for name, value in connection.execute(_SETTINGS)}  # noqa: C416  # a row is no pair to pyright
        return ServerFacts(version=int(version) // 10_000, encoding=encoding, settings=settings)


_SETTINGS = text(
    "SELECT name, setting FROM pg_settings WHERE name IN "
    "('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum')"
)


def _process(connection: psycopg.Connection[Any]) -> int:
    [process] = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    return process
