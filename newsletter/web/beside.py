"""The servers of both applications: one of them in a thread, with an event loop of its own."""

import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

_SECONDS = 10  #: for what it still answers, once it is to end


def server_of(
    app: ASGIApp, *, trusted_proxies: Sequence[str], http: Any = "auto"
) -> uvicorn.Server:
    """Return a server of the application; `http` is uvicorn's class of connections.

    Of a request that comes from a trusted proxy, client and scheme are those that were forwarded:
    read from the right end of X-Forwarded-For, up to the first address that is not trusted.
    Everybody else's headers say nothing.
    """
    config = uvicorn.Config(
        app,
        http=http,
        log_config=None,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
    )
    return uvicorn.Server(config)


@contextmanager
def serving_beside(server: uvicorn.Server, listener: socket.socket) -> Generator[None]:
    """Serve meanwhile."""
    serving = threading.Thread(target=server.run, args=([listener],), daemon=True)
    serving.start()
    try:
        yield
    finally:
        server.should_exit = True
        serving.join(timeout=_SECONDS)
