"""A relay between SendGrid and the webhook, which can hold posts back.

What it does not pass on comes later, as SendGrid posts again for a day what was not taken.
"""

import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

_Post = tuple[dict[str, str], bytes]  #: headers and body
_SIGNED = "X-Twilio"  #: the headers that matter begin so


class Relay:
    """Passes posts on, holds them all back, or makes some of them late."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._lock = threading.Lock()
        self._held: list[_Post] = []
        self._late = 0
        self.is_down = False
        self.lateness: Callable[[], float] = lambda: 0.0  #: seconds, of the next post
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}{self._target.path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def held(self) -> int:
        """Return how many posts are held back."""
        return len(self._held) + self._late

    def take(self, post: _Post) -> int:
        """Pass a post on, and return the status that was answered; or let it come later."""
        with self._lock:
            if self.is_down:
                self._held.append(post)
                return 202
            if seconds := self.lateness():
                self._late += 1
                threading.Timer(seconds, self._pass_late, [post]).start()
                return 202
        return self._pass(post)

    def release(self, seconds: float) -> None:
        """Post what was held back, the newest first, spread over so long."""
        pause = seconds / max(len(self._held), 1)
        while self._held:
            self._pass_on(self._held[-1])
            with self._lock:  # only now: it counts as held while it is under way
                self._held.pop()
            time.sleep(pause)

    def _pass_late(self, post: _Post) -> None:
        self._pass_on(post)
        with self._lock:
            self._late -= 1

    def _pass_on(self, post: _Post) -> None:
        while self._pass(post) >= 300:  # RFC 9110 15.3
            time.sleep(0.2)

    def _pass(self, post: _Post) -> int:
        headers, body = post
        target = self._target
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=10)
        signed = {name: value for name, value in headers.items() if name.startswith(_SIGNED)}
        try:
            connection.request("POST", target.path, body, signed)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 503
        finally:
            connection.close()


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(relay.take((dict(self.headers), body)))
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
