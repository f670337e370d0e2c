"""Reads each thing once while work may only read, such as that of a page.

What a page reads it cannot change: its second question could only see what somebody else changed
meanwhile, and the page would show two states of one thing. Work that writes keeps nothing.
"""

from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Result = TypeVar("Result")
Asked = ParamSpec("Asked")

#: What was read so far; a thread that a request starts has the same. None: nothing is kept.
_READ: ContextVar[dict[Hashable, Any] | None] = ContextVar("read", default=None)


@contextmanager
def keeping_reads(keep: bool) -> Generator[None]:
    """Keep meanwhile what is to be read once; or lift that, for work that writes."""
    before = _READ.set({} if keep else None)
    try:
        yield
    finally:
        _READ.reset(before)


def read_once(read: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """Have a method read once for the same arguments, where work may only read; see above."""

    @wraps(read)
    def once(*args: Asked.args, **named: Asked.kwargs) -> Result:
        kept, key = _READ.get(), (read, args, tuple(named.items()))
        if kept is None:
            return read(*args, **named)
        if key not in kept:
            kept[key] = read(*args, **named)
        return kept[key]

    return once
