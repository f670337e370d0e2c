"""`pg_dump` into one file of the custom format, checked before it gets its name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from sqlalchemy import URL

from newsletter.adapters.backup.tools import BackupFailed, arguments, connected, run, tools_for
from newsletter.adapters.embedded.programs import shipped

_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ", re.MULTILINE)
_OWN = "alembic_version"  #: a table that every database of this program has
_COUNT = """
    SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind = 'r' AND relpersistence <> 't'
       AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
                          AND objid = pg_class.oid AND deptype = 'e')
"""


@dataclass(frozen=True)
class Backup:
    """A file that was read from its first byte to its last."""

    file: Path
    bytes: int
    tables: tuple[str, ...]  #: whose rows are in it


def dump(url: URL, file: Path) -> Backup:
    """Write the whole database into a new file that only its owner can read, and check it."""
    if file.exists():
        raise _exists(file)
    partial = file.with_name(f"{file.name}.{token_hex(4)}.partial")  # two may run at once
    with connected(url) as connection:
        programs = tools_for(connection)
        tables = int((connection.execute(_COUNT).fetchone() or (0,))[0])
    try:
        _begin(partial, file)
        _dump(url, programs, partial)
        found = check(partial, programs)
        if len(found.tables) != tables:
            raise BackupFailed(f"{file}: {len(found.tables)} of {tables} tables are in it")
        _take_name(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    return Backup(file, found.bytes, found.tables)


def _begin(partial: Path, file: Path) -> None:
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:  # whoever reads it knows the file they named
        raise BackupFailed(f"{file} cannot be written: {error.strerror}") from error


def _exists(file: Path) -> BackupFailed:
    return BackupFailed(f"{file} exists already: a backup overwrites nothing")


def _take_name(partial: Path, file: Path) -> None:
    try:
        file.hardlink_to(partial)  # unlike a rename, it overwrites nothing
    except FileExistsError:
        raise _exists(file) from None


def check(file: Path, programs: Path | None = None) -> Backup:
    """Read a backup to its end, every row of it; BackupFailed if it is none of this program's."""
    size = file.stat().st_size  # names the file if there is none
    restore = str((programs or shipped()) / "pg_restore")
    try:
        listed = run([restore, "--list", str(file)])
        run([restore, "--file", os.devnull, str(file)])
    except BackupFailed as error:
        raise BackupFailed(f"{file} is no whole backup: {error}") from error
    tables = tuple(table for _, table in _TABLE.findall(listed))
    if _OWN not in tables:
        raise BackupFailed(f"{file} is no backup of this program: it has no table {_OWN}")
    return Backup(file, size, tables)


def _dump(url: URL, programs: Path, partial: Path) -> None:
    place, environment = arguments(url)
    options = ("--format=custom", "--no-owner", "--no-privileges", "--no-password")
    target = f"--file={partial}"
    run([str(programs / "pg_dump"), *options, target, f"--dbname={place}"], environment)
