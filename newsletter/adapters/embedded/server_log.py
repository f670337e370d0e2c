"""The server's log: a file beside its data, whose last lines stand in an error."""

import os
import re
import shutil
from pathlib import Path

from newsletter.errors import DatabaseUnreachable

_LAST = 4  #: lines of a log, in an error
_CAUSE = re.compile(r"\b(FATAL|PANIC|ERROR|error)\b")
_TAIL = 8192  #: bytes that are looked at for them
_FULL = 32 * 1024 * 1024  #: bytes of free space below which the disk is mentioned
_LARGE = 16 * 1024 * 1024  #: bytes at which a start begins the log anew


def telling(lines: list[str]) -> str:
    """Return the last lines, and before them those of the others that name a cause."""
    causes = [line for line in lines[:-_LAST] if _CAUSE.search(line)]
    return " / ".join([*causes[-_LAST:], *lines[-_LAST:]])


class ServerLog:
    """What the server wrote, and what of it belongs to this start."""

    def __init__(self, path: Path) -> None:
        self._path, self._begin = path, 0

    def open(self) -> int:
        """Open the log to append to; an overlong one is put aside."""
        if self._path.exists() and self._path.stat().st_size > _LARGE:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            handle = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise DatabaseUnreachable(
                f"the embedded PostgreSQL's log {self._path} cannot be written: {error.strerror}"
            ) from error
        self._begin = os.fstat(handle).st_size
        return handle

    def lines(self) -> list[str]:
        """Return what was written since it was opened, or the end of it."""
        try:
            with self._path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self._begin, end - _TAIL))
                said = file.read().decode(errors="replace")
        except OSError:
            return []
        return [line.strip() for line in said.splitlines() if line.strip()]

    def reason(self) -> str:
        """Return why the server does not run, in its own words; a full disk may have taken them."""
        said = telling(self.lines()) or "it wrote nothing"
        free = shutil.disk_usage(self._path.parent).free
        if free < _FULL:
            said += f" / only {free // 1024:,} KiB are free on the disk of {self._path.parent}"
        return f"{said} (log: {self._path})"
