"""What receives a site's pushes in the service's place, and how a site is set up for it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from newsletter.settings import shipped

PLUGIN = shipped("config") / "wordpress" / "newsletter-push.php"
TOKEN = "nl_7_a-secret-of-the-test"  # of nothing


@dataclass
class Api:
    """What was asked of the service, and its next answers."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, *_ in self.asked]

    @property
    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for _, headers, _ in self.asked]


def receipt(ruling: str = "accepted", *reasons: str) -> tuple[int, dict[str, str], Any]:
    """Return an answer of the real API, less the fields that the plugin does not read."""
    brief = {"id": 5, "key": "technology/wordpress/17", "status": ruling, "reasons": reasons}
    whole = {"item": 0, "status": ruling, "arrival": "new", "brief": brief, "errors": []}
    return 200, {}, {"data": [whole]}


@pytest.fixture
def api() -> Iterator[Api]:
    service = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            service.asked.append((self.path, dict(self.headers), body))
            status, headers, answer = service.answers.pop(0) if service.answers else receipt()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield service
        server.shutdown()


def constants_for(url: str, **changes: str) -> dict[str, str]:
    """Return what wp-config.php defines of the plugin."""
    known = {"URL": url, "TOKEN": TOKEN, "NEWSLETTER": "technology", "PILLAR": "Technology"}
    return {f"NEWSLETTER_PUSH_{name}": value for name, value in (known | changes).items()}
