"""The clock of a process, moved by a file: the system's, and so many seconds.

The monotonic clock is not touched, nor is the database's.
"""

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

CLOCK = "TORTURE_CLOCK"  #: the environment's variable that names the file


def move_clock(path: Path) -> None:
    """Let the clock of this process, and of its scheduler, follow the file."""
    from apscheduler.schedulers import base

    from newsletter.adapters import clock

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            moved = datetime.now(tz) + timedelta(seconds=int(path.read_text()))
            return cls.fromtimestamp(moved.timestamp(), tz)

    modules: tuple[Any, ...] = (clock, base)
    for module in modules:
        assert module.datetime is datetime  # it still reads the time by this name
        module.datetime = Moved


def set_clock(path: Path, seconds: int) -> None:
    """Move the clock of every process that follows the file."""
    fresh = path.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.replace(path)
