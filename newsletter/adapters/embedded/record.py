"""What is known of the running server: a file whose lock the server's own processes hold.

The lock tells whether it lives, even when its number has come to mean another process; what stands
in the file tells which process may be signalled, and where its socket is.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from newsletter.adapters.embedded import locks
from newsletter.adapters.embedded.processes import began_at, is_postgres_in, start_mark


@dataclass(frozen=True)
class Record:
    """A server that was started here."""

    pid: int
    mark: str  #: tells its process from others of this number; empty where that is not known
    socket: str  #: the folder of its socket


def read(path: Path, data: Path) -> Record | None:
    """Return what the start wrote, or, if it was cut off before that, what the server says."""
    return stored(path) or _reported(data)


def stored(path: Path) -> Record | None:
    """Return what the last start wrote, if it came to that."""
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def clear(handle: int) -> None:
    """Forget the server before, which ended."""
    os.ftruncate(handle, 0)


def write(handle: int, record: Record) -> None:
    """Write the record into its file, which is held open and locked."""
    os.pwrite(handle, json.dumps(asdict(record)).encode(), 0)


def is_alive(path: Path) -> bool:
    """Return whether a server, or what is left of one, runs on these data."""
    return locks.is_held(path)


def status(data: Path, pid: int) -> str:
    """Return what the server of this number says of itself, such as `starting` or `ready`."""
    lines = postmaster_file(data)
    if len(lines) < 8 or lines[0] != str(pid):  # noqa: PLR2004  # the eighth line is the status
        return ""
    return lines[7].strip()


def postmaster_file(data: Path) -> list[str]:
    """Return the lines of the server's own lock file, none where there is no such file."""
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def _reported(data: Path) -> Record | None:
    """Believe the server's own file as to where it is; as to which process, only if that fits."""
    lines = postmaster_file(data)
    if len(lines) < 5 or not (lines[0].isdecimal() and lines[2].isdecimal()):  # noqa: PLR2004  # lines
        return None
    pid, began = int(lines[0]), int(lines[2])
    mark = start_mark(pid) if is_postgres_in(pid, data) and began_at(pid, began) else None
    return Record(pid, mark or "", lines[4])
