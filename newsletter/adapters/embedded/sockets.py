"""The folder of the server's socket: private, of a short and plain path."""

import re
import shutil
import stat
import tempfile
from pathlib import Path

from newsletter.adapters.embedded.accounts import Account
from newsletter.errors import DatabaseUnreachable

PORT = 5432  #: a part of the socket's name; nothing listens on a network
_SOCKET = f".s.PGSQL.{PORT}"
_LONGEST = 100 - len(_SOCKET)  #: of 104 bytes on macOS, 108 on Linux
#: What neither the server's setting nor the client's reads as several folders or as a quote.
_PLAIN = re.compile(r"/[A-Za-z0-9/._-]*")
_PREFIX = "newsletter-pg-"


def socket_in(folder: Path) -> Path:
    """Return the path of the socket in its folder."""
    return folder / _SOCKET


def socket_folder(data: Path, account: Account, before: Path | None) -> Path:
    """Return a folder for the socket: where it was before, else the data's own if it is fit.

    The data folder is the server's user's alone. Where its path is long or odd, or the server's
    user cannot pass to it, a new folder of the same kind is made among the temporary ones; its
    name cannot be foreseen, so nobody else can have taken it.
    """
    if before and _made_again(before, data, account):
        return before
    if _is_fit(data) and account.reaches(data):
        return data
    return _made_new(account)


def clear_sockets(folder: Path) -> None:
    """Remove what a server that died left; its lock names a process that may be another by now."""
    for name in (_SOCKET, f"{_SOCKET}.lock"):
        (folder / name).unlink(missing_ok=True)


def remove_folder(folder: Path, data: Path) -> None:
    """Remove the socket's folder, unless it is the data's."""
    if folder != data:
        shutil.rmtree(folder, ignore_errors=True)


def is_private(folder: Path, account: Account) -> bool:
    """Return whether this is a folder, no link, that this user alone may enter."""
    try:
        state = folder.lstat()
    except OSError:
        return False
    private = not stat.S_IMODE(state.st_mode) & 0o077
    return stat.S_ISDIR(state.st_mode) and state.st_uid == account.uid and private


def _is_fit(folder: Path) -> bool:
    return bool(_PLAIN.fullmatch(str(folder))) and len(str(folder)) < _LONGEST


def _made_again(folder: Path, data: Path, account: Account) -> bool:
    """Return whether the folder is there; clients that wait know no other."""
    if folder == data:
        return account.reaches(data) and _is_fit(data)
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except OSError:
        pass  # it is there, or cannot be made: the next line tells
    return is_private(folder, account)


def _made_new(account: Account) -> Path:
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  # mkdtemp is safe there
        longest = "x" * (len(_PREFIX) + 10)
        if _is_fit(parent / longest) and account.reaches(parent):
            try:
                folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
                account.own(folder)
            except OSError:
                continue
            return folder
    raise DatabaseUnreachable(
        "the embedded PostgreSQL finds no folder for its socket: neither "
        f"{tempfile.gettempdir()} nor /tmp can be written to (TMPDIR names another)"
    )
