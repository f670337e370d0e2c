"""A TCP proxy before PostgreSQL that stops forwarding, and closes nothing, when told to."""

import contextlib
import socket
import threading
from typing import Self

from sqlalchemy import make_url


class Proxy:
    """Forwards to the server of a URL; `hang` makes it accept everything and answer nothing."""

    def __init__(self, database_url: str) -> None:
        self._target = make_url(database_url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._forwards = threading.Event()
        self._forwards.set()
        self._sockets: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Return the server's URL behind this proxy."""
        port = self._listener.getsockname()[1]
        through = self._target.set(host="127.0.0.1", port=port, query={})
        return through.render_as_string(hide_password=False)

    def hang(self) -> None:
        self._forwards.clear()

    def forward(self) -> None:
        self._forwards.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._forwards.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connected()
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _connected(self) -> socket.socket:
        host, port = self._target.host or self._target.query.get("host"), self._target.port
        if not str(host).startswith("/"):
            return socket.create_connection((str(host), port or 5432))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port or self._target.query.get('port') or 5432}")
        return server

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                self._forwards.wait()
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
