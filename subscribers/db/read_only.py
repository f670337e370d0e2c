"""Work that may only read: PostgreSQL refuses a write in every transaction that it opens."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from subscribers.db.read_once import keeping_reads

#: Whether what is called now may only read; a thread that a request starts inherits it.
_READ_ONLY: ContextVar[bool] = ContextVar("read_only", default=False)


@contextmanager
def read_only(only: bool = True) -> Generator[None]:
    """Make every transaction meanwhile read-only: PostgreSQL refuses a write; or lift that.

    What such work reads by `read_once` it reads once.
    """
    before = _READ_ONLY.set(only)
    try:
        with keeping_reads(only):
            yield
    finally:
        _READ_ONLY.reset(before)


def only_reads() -> bool:
    """Return whether a transaction that is opened now must be read-only."""
    return _READ_ONLY.get()
