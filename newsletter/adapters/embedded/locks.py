"""Locks on files, which the system releases when their holder ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import DatabaseUnreachable

_PAUSE = 0.02  #: seconds between two tries
_SAY_AFTER = 2.0  #: seconds of waiting that need not be mentioned
_SAY_EVERY = 10.0


def opened(path: Path) -> int:
    """Open a file to lock, made if need be; it is never truncated, and no link is followed."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL cannot be used: {path}: {error.strerror}"
        ) from error


def take(handle: int, *, shared: bool = False) -> bool:
    """Lock without waiting; return whether that was possible."""
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Return whether somebody holds this file's lock for themselves alone."""
    if not path.exists():
        return False
    handle = opened(path)
    try:
        return not take(handle, shared=True)
    finally:
        os.close(handle)


@contextmanager
def held(path: Path, while_waiting: Callable[[float], None]) -> Generator[int]:
    """Hold a file's lock alone; `while_waiting` is called now and then with the seconds waited."""
    handle = opened(path)
    try:
        patience = Patience(while_waiting)
        while not take(handle):
            patience.rest()
        yield handle
    finally:
        os.close(handle)


class Patience:
    """Waiting in small steps that is spoken of when it becomes long."""

    def __init__(self, say: Callable[[float], None]) -> None:
        self._say, self._begin = say, time.monotonic()
        self._next = self._begin + _SAY_AFTER

    @property
    def waited(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self._begin

    def rest(self) -> None:
        """Wait one step."""
        time.sleep(_PAUSE)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SAY_EVERY
            self._say(self.waited)
