"""Work that nobody waits for, in a thread of its own."""

from collections.abc import Callable
from threading import Thread


def in_background(work: Callable[[], None]) -> None:
    """Begin the work, and return at once; it does not keep the process alive."""
    Thread(target=work, name="background", daemon=True).start()
