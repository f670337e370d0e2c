"""Whose the server is: the user who runs this process, or, for root, one without privileges."""

import os
import pwd
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import DatabaseUnreachable

#: PostgreSQL refuses to run as root. This user owns nothing but the server's data.
SERVICE_USER = "newsletter-postgres"
_TRIES = 50  #: at making that user, while others make users too


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    @property
    def is_me(self) -> bool:
        """Return whether this process runs as this user."""
        return self.uid == os.geteuid()

    @property
    def as_user(self) -> int | None:
        """Return the user a subprocess is to become, None to stay who one is."""
        return None if self.is_me else self.uid

    @property
    def as_group(self) -> int | None:
        """Return the group a subprocess is to become, None to stay in one's own."""
        return None if self.is_me else self.gid

    @property
    def as_groups(self) -> tuple[int, ...] | None:
        """Return the other groups of a subprocess, None for one's own."""
        return None if self.is_me else ()

    def own(self, path: Path) -> None:
        """Give this user what was made for them just now."""
        if not self.is_me:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Return whether this user may pass through every folder down to this path."""
        if self.is_me:
            return True
        return all(_passes(self, folder) for folder in (path, *path.parents))


def server_account(*, create: bool) -> Account | None:
    """Return the user the server runs as; None if that one is yet to be made, and `create` not."""
    if os.geteuid() != 0:
        return _account(_myself())
    found = _service_entry()
    if found is None and create:
        found = _made()
    return _account(found) if found else None


def user_name(uid: int) -> str:
    """Return a user's name, or their number where there is no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _passes(account: Account, folder: Path) -> bool:
    state = folder.stat()
    if state.st_uid == account.uid:
        return bool(state.st_mode & 0o100)
    return bool(state.st_mode & (0o010 if state.st_gid == account.gid else 0o001))


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _myself() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL cannot run as user {os.geteuid()}, who has no entry in "
            "/etc/passwd: add one, or name a server in NEWSLETTER_DATABASE_URL"
        ) from None


def _service_entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None


def _made() -> pwd.struct_passwd:
    """Make the service user; of several processes that do so at once, one succeeds."""
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
               "/nonexistent", "--shell", "/usr/sbin/nologin", SERVICE_USER]  # fmt: skip
    reason = ""
    for _ in range(_TRIES):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            reason = done.stderr.strip()
        except OSError as error:
            raise _not_made(f"useradd: {error.strerror}") from error
        if found := _service_entry():
            return found
        time.sleep(0.1)
    raise _not_made(reason)


def _not_made(reason: str) -> DatabaseUnreachable:
    return DatabaseUnreachable(
        f"PostgreSQL does not run as root, and the user {SERVICE_USER} to run it as could not be "
        f"made ({reason}): make it by hand, or run this as another user"
    )
