"""Password hashes: Argon2 by pwdlib."""

from functools import cached_property
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

#: A hash takes 64 MiB and much of a second: more at once would be a way to stop the service.
_AT_ONCE = 2

_turns = BoundedSemaphore(_AT_ONCE)


class Argon2Passwords:
    """Hashes and verifies passwords, at most two at once in this process."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hasher = PasswordHash((hasher or Argon2Hasher(),))

    def hash(self, password: str) -> str:
        with _turns:
            return self._hasher.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether this is the password; without a hash it takes as long, and is not."""
        nobodys = self._nobodys  # asked for in any case, so that the first time costs the same
        with _turns:
            try:
                right = self._hasher.verify(password, hashed or nobodys)
            except UnknownHashError:
                right = False
        return right and hashed is not None

    @cached_property
    def _nobodys(self) -> str:
        """The hash of a password that nobody has."""
        return self.hash("nobody has this password, and it would not help")
