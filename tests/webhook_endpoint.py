"""A webhook endpoint on loopback: it answers as scripted, and remembers what was posted to it."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

_PATIENCE = 60  #: seconds until a test fails


@dataclass(frozen=True)
class Posted:
    """One post, as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        return self.data["type"]


@dataclass
class Endpoint:
    """An address to post to; `status` is what it answers, or what a call returns."""

    url: str = ""
    status: int | Callable[[Posted], int] = 204
    answer: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    gate: threading.Event = field(
        default_factory=threading.Event
    )  #: answers wait while it is not set
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self.posted]

    def take(self, posted: Posted) -> int:
        with self._changed:
            self.posted.append(posted)
            self._changed.notify_all()
        self.gate.wait(_PATIENCE)
        return self.status(posted) if callable(self.status) else self.status

    def await_posts(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.posted) >= count, _PATIENCE)


class Endpoints:
    """As many endpoints as a test asks for, on one port."""

    def __init__(self) -> None:
        self._made: dict[str, Endpoint] = {}
        made = self._made

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint = made[self.path]
                try:
                    self.send_response(endpoint.take(Posted(headers, body)))
                    for name, value in endpoint.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(endpoint.answer)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def open(self, **scripted: Any) -> Endpoint:
        path = f"/hooks/{len(self._made)}"
        url = f"http://127.0.0.1:{self.server.server_address[1]}{path}"
        made = self._made[path] = Endpoint(url=url, **scripted)
        made.gate.set()
        return made

    def close(self) -> None:
        for one in self._made.values():
            one.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    made = Endpoints()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join()


@pytest.fixture
def endpoint(endpoints: Endpoints) -> Endpoint:
    return endpoints.open()
