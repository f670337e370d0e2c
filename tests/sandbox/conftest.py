"""A sandbox to send to, a request it accepts, and a webhook that stores what it is posted."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sendgrid import SendGridAPIClient

from newsletter.sandbox.server import Sandbox, SandboxConfig


def _personalization(number: int) -> dict[str, Any]:
    return {
        "to": [{"email": f"reader{number}@example.com"}],
        "substitutions": {"-name-": f"Reader {number}"},
        "headers": {"List-Unsubscribe": f"<https://news.example.com/leave/{number}>"},
        "custom_args": {"nl_delivery": str(number), "nl_issue": "7"},
    }


@pytest.fixture
def message() -> Callable[..., dict[str, Any]]:
    """Make a request for so many recipients that nothing is wrong with."""

    def make(recipients: int = 1, **changes: Any) -> dict[str, Any]:
        return {
            "personalizations": [_personalization(n) for n in range(recipients)],
            "from": {"email": "daily@news.example.com", "name": "Technology Daily"},
            "subject": "News for -name-",
            "content": [
                {"type": "text/plain", "value": "Good morning, -name-."},
                {
                    "type": "text/html",
                    "value": "<html><head></head><body><p>Good morning, -name-.</p>"
                    '<a clicktracking="off" href="https://news.example.com/leave">Leave</a>'
                    '<a href="https://news.example.com/story">Read</a></body></html>',
                },
            ],
            **changes,
        }

    return make


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that posts no events; shared by the tests of a module."""
    with Sandbox(SandboxConfig(data=tmp_path_factory.mktemp("sandbox"))) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> SendGridAPIClient:
    """The real client, with an empty sandbox."""
    sandbox.clear()
    sandbox.fail()
    return client_of(sandbox)


def client_of(sandbox: Sandbox, key: str = "SG.test") -> SendGridAPIClient:
    made = SendGridAPIClient(key, host=sandbox.url)
    made.client.timeout = 5
    return made


@pytest.fixture
def make_client() -> Callable[..., SendGridAPIClient]:
    return client_of


class Webhook:
    """An endpoint on loopback: stores every post that it does not refuse."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.refuses: Callable[[bytes], bool] = lambda _body: False
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = webhook.refuses(body)
                if not refused:
                    webhook.posts.append((dict(self.headers), body))
                self.send_response(503 if refused else 204)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events?from=sandbox"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, body in self.posts for event in json.loads(body)]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Sandbox]:
    """Prepare a separate sandbox, in the test's folder."""
    return lambda **choices: Sandbox(SandboxConfig(data=tmp_path, **choices))
