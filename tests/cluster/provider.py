"""The way to SendGrid's stand-in, which listens on loopback alone: a port on the bridge."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from tests.cluster.network import OUTSIDE


class Forwarder:
    """Passes connections from the bridge on to a URL of this process's loopback."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 0)
        self._server = socket.create_server((OUTSIDE, 0))
        self.url = f"http://{OUTSIDE}:{self._server.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                behind = socket.create_connection(self._target)
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one end is gone: so is the other
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
