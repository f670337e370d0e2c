"""Watching over the embedded server in a process that stays: when it dies, it is started again."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager

from newsletter.adapters.embedded.server import EmbeddedServer
from newsletter.errors import DatabaseUnreachable

_LOOK_SECONDS = 1.0
_log = logging.getLogger(__name__)


@contextmanager
def supervised(server: EmbeddedServer | None) -> Generator[None]:
    """Look after a server meanwhile; nothing is done where there is none."""
    if server is None:
        yield
        return
    ended = threading.Event()
    watching = threading.Thread(target=_revive_when_dead, args=(server, ended), daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join(timeout=5)


def _revive_when_dead(server: EmbeddedServer, ended: threading.Event) -> None:
    said = ""
    while not ended.wait(_LOOK_SECONDS):
        try:
            if server.revive():
                _log.warning("the embedded PostgreSQL in %s runs again", server.folder)
            said = ""
        except (DatabaseUnreachable, OSError) as error:
            if str(error) != said:  # once, not every second
                said = str(error)
                _log.error("%s", said)  # the sentence says it all
