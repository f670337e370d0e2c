"""A receiver of alerts on loopback, and channels that answer as scripted."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Receiver:
    """What was posted to it, and how it answers."""

    url: str = ""
    status: int = 200
    posted: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted.append(json.loads(body))
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        receiver.url = f"json://127.0.0.1:{server.server_address[1]}/alerts"
        yield receiver
        server.shutdown()


@dataclass
class FakeChannel:
    """A channel that takes what it is sent, unless it is broken."""

    name: str
    broken: bool = False
    tried: int = 0
    received: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return self.name

    def send(self, title: str, body: str) -> str | None:
        self.tried += 1
        if self.broken:
            return "it is broken"
        self.received.append(title)
        self.bodies.append(body)
        assert body
        return None
