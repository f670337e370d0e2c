"""What one client may hold: a time limit for each part of a request, and a number of connections.

uvicorn waits for ever for the rest of a request, and refuses everybody alike above its own limit
of connections. Here a client that does not finish its request in time is answered 408, and where
connections are short, those that wait for their client make room, the longest waiting first.
"""

import http
from asyncio import TimerHandle, Transport
from dataclasses import dataclass
from typing import Any, Self, cast

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LAST_LOOK = 0.2  #: seconds; after a stall, what has arrived meanwhile is read before it is judged
_MOST = 2  #: times the limit; above that a connection is closed at once
#: Answered however many connections there are: unsubscribing, events, and the checks.
_ALWAYS = ("/u/", "/webhooks/", "/healthz", "/readyz", "/metrics")
_BUSY = PlainTextResponse(
    "There are too many visitors at the moment; please try again in a minute.\n",
    status_code=503,
    headers={"Retry-After": "60", "Connection": "close", "Cache-Control": "no-store"},
)


def _closing(status: int) -> bytes:
    reason = http.HTTPStatus(status).phrase
    head = f"HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    return head.encode()


_TIMEOUT = _closing(408)


@dataclass(frozen=True)
class ConnectionLimits:
    """How long a client may take for its request, in seconds, and how many connections may be."""

    header_seconds: float
    body_seconds: float
    connections: int


class LimitedConnection(HttpToolsProtocol):
    """One connection to a client, which is given up when the client takes too long."""

    limits: ConnectionLimits
    cycle: Any  #: the request being answered; None before the first one
    waiting_since = 0.0
    _timer: TimerHandle | None = None  #: runs from a request's first byte to its last
    _in_head = False

    def connection_made(self, transport: Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # uvicorn's own parameter
        super().connection_made(transport)
        self.app = self._answer  # pyright: ignore[reportAttributeAccessIssue]  # the same protocol, named twice
        self._allow(self.limits.header_seconds)
        self._close_longest_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._timer is None:  # even a blank line between two requests
            self._allow(self.limits.header_seconds)
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._allow(self.limits.header_seconds)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._allow(self.limits.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.waiting_since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """End this connection, now if its client still owes a part of its request."""
        super().shutdown()
        if self._timer:
            self.give_up()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: Any = cast("Any", self.config).loaded_app
        crowded = len(self.connections) > self.limits.connections
        if crowded and not scope.get("path", "").startswith(_ALWAYS):
            app = _BUSY
        await app(scope, receive, send)

    def _allow(self, seconds: float) -> None:
        self._stop_timer()
        self.waiting_since = self.loop.time()
        self._timer = self.loop.call_later(seconds, self._last_look)

    def _last_look(self) -> None:
        if self.flow.read_paused:  # the client is not to blame: what it sent is not read yet
            self._allow(self.limits.body_seconds)
            return
        self._timer = self.loop.call_later(_LAST_LOOK, self.give_up)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def give_up(self) -> None:
        """Close the connection; answer 408 if a request was begun that has no answer yet."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._owes_answer():
            self.transport.write(_TIMEOUT)
        self.transport.close()

    def _owes_answer(self) -> bool:
        if self._in_head:  # unless the answer to the request before is on its way
            return self.cycle is None or self.cycle.response_complete
        return self.cycle is not None and not self.cycle.response_started

    def waits_for_client(self) -> bool:
        """Return whether it is idle, or its client owes a part of the request."""
        idle = self.cycle is None or self.cycle.response_complete
        return (idle or self._timer is not None) and not self.transport.is_closing()

    def _close_longest_waiting(self) -> None:
        """Give up the connection that has waited longest for its client, if there are too many."""
        if len(self.connections) <= self.limits.connections:
            return
        others = cast("set[Self]", self.connections) - {self}
        waiting = [one for one in others if one.waits_for_client()]
        if waiting:
            min(waiting, key=lambda one: one.waiting_since).give_up()
        elif len(self.connections) > _MOST * self.limits.connections:
            self.transport.close()


def connections_within(limits: ConnectionLimits) -> type[LimitedConnection]:
    """Return the class of connections with these limits, as uvicorn takes it."""
    return type("Connection", (LimitedConnection,), {"limits": limits})
