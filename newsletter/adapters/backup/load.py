"""A backup back into a database: wholly, in one transaction, or not at all."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from sqlalchemy import URL

from newsletter.adapters.backup.dump import Backup, check
from newsletter.adapters.backup.tools import (
    BackupFailed,
    arguments,
    connected,
    failure,
    tools_for,
)

#: A partitioned table holds nothing itself: its partitions do.
_TABLES = """
    SELECT relname FROM pg_catalog.pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
"""
#: A setting among the first lines that servers before PostgreSQL 17 do not know; nothing is lost
#: without it, since its default is the same.
_UNKNOWN_BEFORE_17, _HEAD = b"SET transaction_timeout = 0;", 20
#: Rows of these stand in every database of this program, before it is used for anything.
_ALWAYS = ("alembic_version", "installation", "installation_key", "procrastinate_version")
#: What the tables of this program and of its queue came with; an extension's parts stay.
_CLEAR = """
SET lock_timeout = '10s';
SET client_min_messages = warning;
DO $$ DECLARE one record; BEGIN
  FOR one IN
    SELECT format('DROP %s IF EXISTS %s CASCADE', kind, name) AS statement FROM (
      SELECT CASE relkind WHEN 'S' THEN 2 ELSE 1 END AS turn,
             'pg_class'::regclass AS catalog, oid,
             CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                          WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
             oid::regclass::text AS name
        FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
      UNION ALL
      SELECT 3, 'pg_proc'::regclass, oid, 'ROUTINE', oid::regprocedure::text FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace
      UNION ALL
      SELECT 4, 'pg_type'::regclass, oid, 'TYPE', oid::regtype::text FROM pg_type
       WHERE typnamespace = 'public'::regnamespace
         AND (typtype IN ('e', 'd', 'r')
              OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c'))
    ) AS found
    WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = found.catalog
                         AND objid = found.oid AND deptype = 'e')
    ORDER BY turn
  LOOP EXECUTE one.statement; END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Contents:
    """What stands in the database that a backup is to go to."""

    foreign: tuple[str, ...]  #: tables that are not in the backup
    filled: tuple[str, ...]  #: tables that have rows

    @property
    def is_empty(self) -> bool:
        """Return whether nothing would be lost."""
        return not self.foreign and not self.filled


def load(url: URL, file: Path, *, replace: bool) -> Backup:
    """Put a backup into a database that holds nothing, or, with `replace`, over what it holds."""
    with connected(url) as connection:
        programs = tools_for(connection)
        backup = check(file, programs)
        found = _contents(connection, backup.tables)
    if not found.is_empty and not replace:
        held = ", ".join((*found.filled, *found.foreign)[:5])
        raise BackupFailed(
            f"the database is not empty ({held}): nothing was changed; "
            "--replace drops what it holds"
        )
    _restore(url, programs, file)
    return backup


def _contents(connection: psycopg.Connection[tuple[object, ...]], ours: Iterable[str]) -> Contents:
    tables = [str(name) for (name,) in connection.execute(_TABLES)]
    filled = [name for name in tables if name not in _ALWAYS and _has_rows(connection, name)]
    return Contents(tuple(sorted({*tables} - {*ours})), tuple(filled))


def _has_rows(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier("public", table))
    return connection.execute(query).fetchone() is not None


def _restore(url: URL, programs: Path, file: Path) -> None:
    """Pipe the backup as SQL into one transaction, which only a whole backup ends."""
    place, environment = arguments(url)
    reading = [str(programs / "pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)]
    writing = [
        str(programs / "psql"), "--no-psqlrc", "--quiet", "--no-password",
        "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--dbname={place}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        reader = subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said)
        writer = subprocess.Popen(writing, stdin=subprocess.PIPE, stderr=said, env=environment)
        assert reader.stdout
        assert writer.stdin
        with reader.stdout, writer.stdin:
            whole = _pipe(reader, reader.stdout, writer.stdin)
        written = writer.wait() == 0
        if not (whole and written):
            said.seek(0)
            program = writing[0] if whole else reading[0]
            raise BackupFailed(f"nothing was restored: {failure(program, said.read())}")


def _pipe(reader: subprocess.Popen[bytes], source: IO[bytes], target: IO[bytes]) -> bool:
    """Hand everything over and commit it; return whether there was everything."""
    try:
        target.write(b"BEGIN;\n" + _CLEAR.encode())
        for _ in range(_HEAD):
            line = source.readline()
            target.write(b"" if line.startswith(_UNKNOWN_BEFORE_17) else line)
        shutil.copyfileobj(source, target)
        whole = reader.wait() == 0
        target.write(b"\nCOMMIT;\n" if whole else b"\n\\.\nROLLBACK;\n")
        target.flush()
    except BrokenPipeError:
        reader.kill()  # the server refused something; that program has said what
        reader.wait()
        return True
    return whole
