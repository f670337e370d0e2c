"""The data folder: made whole or not at all, and open to its own users alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from newsletter.adapters.embedded.accounts import Account, user_name
from newsletter.adapters.embedded.programs import major_version
from newsletter.adapters.embedded.server_log import telling
from newsletter.errors import DatabaseUnreachable

ROLE = "postgres"  #: the database's own superuser
#: Written at every start, over whatever an older data folder allowed.
_WHO_MAY = f"""\
# Written by the newsletter service at every start.
local all {ROLE} peer map=newsletter
"""
#: PostgreSQL's defaults are for small machines: a send looks each reader up by key, and an import
#: writes a gigabyte. `ALTER SYSTEM` may choose anew.
_TUNED = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}
#: Order and case of letters by Unicode, the same on every machine.
_LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def data_argument(folder: Path) -> str:
    """Name a data folder to a program that is started in it.

    On Linux by the folder it works in: then the path may hold anything and be of any length, and
    may lie where the server's user cannot pass.
    """
    return "/proc/self/cwd" if sys.platform == "linux" else str(folder)


def make_cluster(folder: Path, programs: Path, account: Account) -> None:
    """Make the data folder unless it is there; DatabaseUnreachable if something else is."""
    if (folder / "PG_VERSION").exists():
        return _check_version(folder, programs)
    if folder.exists() and any(folder.iterdir()):
        raise DatabaseUnreachable(f"{folder} is not empty, and holds no PostgreSQL data")
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)  # of a process that died while it made one
    try:
        fresh.mkdir(mode=0o700)
        account.own(fresh)
        _init(fresh, programs, account)
        fresh.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        raise DatabaseUnreachable(f"{folder} cannot be made: {error.strerror}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return None


def admit(folder: Path, account: Account) -> None:
    """Let in the server's user and the user of this process, by what the system says they are."""
    names = {account.name, user_name(os.geteuid())}
    lines = (f'newsletter "{name}" {ROLE}\n' for name in sorted(names))
    _write(folder / "pg_ident.conf", "".join(lines), account)
    _write(folder / "pg_hba.conf", _WHO_MAY, account)


def plain_environment() -> dict[str, str]:
    """Return an environment for PostgreSQL's programs without the caller's PG… settings."""
    kept = ("PATH", "TMPDIR", "TZ", "HOME")
    return {"LC_ALL": "C"} | {name: os.environ[name] for name in kept if name in os.environ}


def _init(fresh: Path, programs: Path, account: Account) -> None:
    command = [
        str(programs / "initdb"), f"--pgdata={data_argument(fresh)}", f"--username={ROLE}",
        "--auth=peer", "--no-instructions", *_LOCALE,
        *(f"--set={name}={value}" for name, value in _TUNED.items()),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=fresh,
        env=plain_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        user=account.as_user,
        group=account.as_group,
        extra_groups=account.as_groups,
    )
    if done.returncode:
        said = telling(done.stderr.decode(errors="replace").strip().splitlines())
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL could not be made in {fresh.parent}: {said}"
        )


def _check_version(folder: Path, programs: Path) -> None:
    made, ours = (folder / "PG_VERSION").read_text().strip(), major_version(programs)
    if made != ours:
        raise DatabaseUnreachable(
            f"{folder} was made by PostgreSQL {made}, and this program brings {ours}: with the "
            "release that made it say `newsletter backup FILE`, move the folder away, and with "
            "this one say `newsletter restore FILE`"
        )


def _write(path: Path, text: str, account: Account) -> None:
    """Put a file into the server's folder, by a new name first: no link is followed."""
    if not path.is_symlink() and path.exists() and path.read_text() == text:
        return
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    account.own(fresh)
    fresh.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
