"""Transport: HTTP/1.1 over plain sockets, so that a fault can break a real connection.

Python's own threading server, and no web framework: a fault must close, reset or cut a connection
in the middle of a request, which frameworks are built to prevent. It is also quick enough: reading
a body of 350 KB costs one call, and the client asks with a new connection each time anyway.
"""

import json
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from newsletter.sandbox.faults import FaultKind, FaultRule

_PART = 64 * 1024  #: bytes: all of a small body, and the middle of a large one


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message  #: looked up in any case
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        """Return a JSON reply."""
        body = json.dumps(value).encode() + b"\n"
        return cls(status=status, body=body, headers=headers or {})


class Application(Protocol):
    """What stands behind the transport."""

    max_body: int  #: bytes

    def fault(self, method: str, path: str) -> FaultRule | None:
        """Return the fault that strikes this call."""
        ...

    def faulty_reply(self, rule: FaultRule) -> Reply:
        """Return the reply of a fault that answers in good form."""
        ...

    def too_large(self) -> Reply:
        """Return the reply to a body above the limit."""
        ...

    def answer(self, request: Request) -> Reply:
        """Do what is asked."""
        ...


class Server(ThreadingHTTPServer):
    """A server of one application; each connection has its thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self.stopping = threading.Event()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # pyright: ignore[reportAttributeAccessIssue]  # typeshed knows more families than AF_INET

    @property
    def url(self) -> str:
        """Return where it can be asked."""
        return f"http://{self.server_name}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a mistake of our own; a client that went away is no such thing."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 60  # seconds a connection may be idle
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing: the tallies and the inbox tell what happened."""

    def _serve(self) -> None:
        application = self.server.application
        url = urlsplit(self.path)
        rule = application.fault(self.command, url.path)
        if rule and rule.kind.spares_body:
            self._strike_early(rule)
            return
        body = self._read()
        if body is None:
            return
        if rule is None or rule.accepts:
            query = dict(parse_qsl(url.query))
            reply = application.answer(Request(self.command, url.path, query, self.headers, body))
            if rule is None or reply.status != HTTPStatus.ACCEPTED:
                self._send(reply)  # a refusal is told as it is
                return
        self._strike(rule)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the base class's names

    def _length(self) -> int | None:
        given = self.headers.get("Content-Length", "0")
        return int(given) if given.isdecimal() else None

    def _read(self) -> bytes | None:
        length = self._length()
        if length is None or "Transfer-Encoding" in self.headers:
            self._refuse_unread(Reply(status=HTTPStatus.LENGTH_REQUIRED))
            return None
        if length > self.server.application.max_body:
            self._refuse_unread(self.server.application.too_large())
            return None
        body = self.rfile.read(length)
        if len(body) < length:  # the client gave up
            self.close_connection = True
            return None
        return body

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.body:
            self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _strike_early(self, rule: FaultRule) -> None:
        if rule.kind is FaultKind.EARLY_413:
            self._refuse_unread(self.server.application.faulty_reply(rule))
        elif rule.kind is FaultKind.RESET:
            self.rfile.read(min(self._length() or 0, _PART))
            # Lingering for no time at all makes closing a reset.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
        else:
            self._close_unread()

    def _strike(self, rule: FaultRule) -> None:
        match rule.kind:
            case FaultKind.HANG:
                self.server.stopping.wait(rule.seconds)
            case FaultKind.TRUNCATE_202:
                self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 64\r\n\r\n{")
            case FaultKind.GARBAGE:
                self.wfile.write(b"?????\r\n\r\n")
            case FaultKind.CLOSE_AFTER_ACCEPT:
                pass
            case _:
                self._send(self.server.application.faulty_reply(rule))
                return
        self.close_connection = True

    def _refuse_unread(self, reply: Reply) -> None:
        self._send(reply)
        self._close_unread()

    def _close_unread(self) -> None:
        self.connection.shutdown(socket.SHUT_WR)
        # A small body is on its way already: closing with it unread would reset the connection
        # and could swallow the reply. In the middle of a large one that is what happens.
        self.rfile.read(min(self._length() or 0, _PART))
        self.close_connection = True
