"""Servers that answer and yet will not do: another encoding, or a pooler that shares sessions."""

from typing import Any

import psycopg
from sqlalchemy import URL, Engine, text

from newsletter.core.machine import ServerFacts
from newsletter.errors import DatabaseMismatch, DatabaseUnreachable
from newsletter.stores.database import connection_parts, shown

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


def server_facts(engine: Engine) -> ServerFacts:
    """Return what the server says of itself, as far as it decides whether letters are lost."""
    with engine.connect() as connection:
        version = connection.execute(text("SHOW server_version_num")).scalar_one()
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        settings = {name: value for name, value in connection.execute(_SETTINGS)}  # noqa: C416  # a row is no pair to pyright
    return ServerFacts(
        version=int(version) // 10_000,
        encoding=encoding,
        settings=settings,
    )


_SETTINGS = text(
    "SELECT name, setting FROM pg_settings WHERE name IN "
    "('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum')"
)


def _process(connection: psycopg.Connection[Any]) -> int:
    [process] = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    return process
