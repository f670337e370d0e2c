"""Which process is meant: a number alone does not say, since numbers are used again."""

import os
import signal
import sys
from pathlib import Path

import psutil

_ABOUT = 5  #: seconds
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def start_mark(pid: int) -> str | None:
    """Return what tells this process from every other that ever bears its number; None if gone.

    On Linux that is the boot and the tick it began at, which no change of the clock moves.
    """
    try:
        if sys.platform == "linux":
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
            return f"{_BOOT.read_text().strip()}/{fields.split()[19]}"
        return str(psutil.Process(pid).create_time())
    except (OSError, psutil.Error):
        return None


def send_signal(pid: int, mark: str, which: signal.Signals) -> bool:
    """Signal the process of this number and mark, and no other; return whether it was there."""
    if sys.platform != "linux":
        if start_mark(pid) != mark:
            return False
        os.kill(pid, which)
        return True
    try:
        handle = os.pidfd_open(pid)  # from here on the number cannot come to mean another
    except ProcessLookupError:
        return False
    try:
        if start_mark(pid) != mark:
            return False
        signal.pidfd_send_signal(handle, which)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def began_at(pid: int, second: int) -> bool:
    """Return whether this process began at about this second of the clock."""
    try:
        return abs(psutil.Process(pid).create_time() - second) < _ABOUT
    except psutil.Error:
        return False


def is_postgres_in(pid: int, folder: Path) -> bool:
    """Return whether this process is a PostgreSQL that works in this folder, as far as can be seen.

    Where the system does not say in which folder it works, it is taken to be so.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or not process.name().startswith("postgres"):
            return False
        return Path(process.cwd()) == folder
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
