"""Where servers that live for a test alone keep their data: in memory, where there is plenty."""

import shutil
from pathlib import Path

_MEMORY, _PLENTY = Path("/dev/shm"), 4 * 1024**3


def fast_folder() -> str | None:
    """Return a folder for temporary ones that need not wait for a disk; None for the usual one."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _PLENTY:
        return str(_MEMORY)
    return None
