"""PostgreSQL's client programs, called with argument lists, and the password in no argument."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from newsletter.adapters.embedded.programs import shipped
from newsletter.errors import DatabaseUnreachable, NewsletterError
from newsletter.stores.database import connection_parts, shown

_LINES = 3  #: of what a program said, in an error


class BackupFailed(NewsletterError):
    """The backup or restore could not be done."""


def connected(url: URL) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as the programs will; DatabaseUnreachable, without the password, if that fails."""
    try:
        return psycopg.connect(**connection_parts(url))
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise DatabaseUnreachable(f"no PostgreSQL answers at {shown(url)}: {reason}") from error


def tools_for(connection: psycopg.Connection[tuple[Any, ...]]) -> Path:
    """Return a folder of programs that can talk to this server.

    Those that come with the embedded server know no TLS, and no server newer than they are: then
    those of this machine are taken.
    """
    major = connection.info.server_version // 10000
    own = shipped()
    if not connection.pgconn.ssl_in_use and major <= _major(own):
        return own
    found = shutil.which("pg_dump")
    if found and _major(Path(found).parent) >= major:
        return Path(found).parent
    why = "speaks TLS" if connection.pgconn.ssl_in_use else f"is PostgreSQL {major}"
    raise BackupFailed(
        f"the server {why}, which the programs that come with this one cannot: install "
        f"PostgreSQL's client programs, version {major} or newer (pg_dump, pg_restore, psql)"
    )


def arguments(url: URL) -> tuple[str, dict[str, str]]:
    """Return the connection as one argument without its secrets, and the environment with them."""
    parts = connection_parts(url)
    password, key = parts.pop("password", None), parts.pop("sslpassword", None)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("PG")}
    secrets = {"PGPASSWORD": password, "PGSSLPASSWORD": key}
    kept |= {name: str(value) for name, value in secrets.items() if value is not None}
    return make_conninfo(**parts), kept | {"LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8"}


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a program to its end and return what it said; BackupFailed with its own last lines."""
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False
    )
    if done.returncode:
        raise BackupFailed(failure(command[0], done.stderr))
    return done.stdout.decode(errors="replace")


def failure(program: str, said: bytes) -> str:
    """Return one sentence on why a program failed."""
    lines = [one.strip() for one in said.decode(errors="replace").splitlines() if one.strip()]
    reason = " / ".join(lines[-_LINES:]) or "it did not say why"
    return f"{Path(program).name}: {reason}"


def _major(folder: Path) -> int:
    said = run([str(folder / "pg_dump"), "--version"])
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found else 0
