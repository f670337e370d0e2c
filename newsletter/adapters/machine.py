"""Measures this machine, and finds its backups."""

import locale
import resource
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

import psutil

from newsletter.core.machine import MachineFacts
from newsletter.errors import ConfigurationError


def measure(data: Path) -> MachineFacts:
    """Return what there is of everything; the disk is that of the folder `data`."""
    there = next(one for one in (data, *data.absolute().parents) if one.exists())
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MachineFacts(
        disk_free=shutil.disk_usage(there).free,
        memory_free=psutil.virtual_memory().available,
        open_files=-1 if files == resource.RLIM_INFINITY else files,
        zones=len(available_timezones()),
        encoding=locale.getpreferredencoding(do_setlocale=False),
    )


def newest_backup(folder: Path) -> datetime | None:
    """Return when the newest file of a folder was written; None if it holds none."""
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder with backups")
    written = (one.stat().st_mtime for one in folder.iterdir() if one.is_file())
    newest = max(written, default=None)
    return None if newest is None else datetime.fromtimestamp(newest, UTC)
