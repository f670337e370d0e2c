"""Serves a second application in the same process: a thread, an event loop, and a socket."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

_SECONDS = 10  #: for what it still answers, once it is to end


@contextmanager
def serving_beside(app: FastAPI, listener: socket.socket, *, http: Any = "auto") -> Generator[None]:
    """Serve the application meanwhile; `http` is uvicorn's class of connections."""
    server = uvicorn.Server(uvicorn.Config(app, http=http, log_config=None))
    serving = threading.Thread(target=server.run, args=([listener],), daemon=True)
    serving.start()
    try:
        yield
    finally:
        server.should_exit = True
        serving.join(timeout=_SECONDS)
