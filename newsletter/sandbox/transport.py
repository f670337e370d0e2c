"""HTTP/1.1 over plain sockets, so that a fault can break a real connection.

Python's own threading server instead of a web framework: see docs/decisions/
sandbox-on-http-server.md. It is fast enough: reading a body of 350 KB costs one call, and the
client opens a new connection for each request.
"""

import socket
import socketserver
import struct
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from newsletter.sandbox import account, inbox, logs, v3
from newsletter.sandbox.faults import FaultKind, FaultRule
from newsletter.sandbox.routing import CallError, Reply, Request, RequestContext

_ROUTES = v3.ROUTES + account.ROUTES + logs.ROUTES + inbox.ROUTES
#: faults that happen before the body has been read
_SPARING_BODY = {FaultKind.CLOSE_BEFORE_READ, FaultKind.RESET, FaultKind.EARLY_413}
_PART = 64 * 1024  #: bytes: all of a small body, and the middle of a large one


class Server(ThreadingHTTPServer):
    """Serves one sandbox, each connection in a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, context: RequestContext) -> None:
        self.context = context
        self.stopping = threading.Event()
        super().__init__((context.config.host, context.config.port), Handler)

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # pyright: ignore[reportAttributeAccessIssue]  # typeshed knows more families than AF_INET

    @property
    def url(self) -> str:
        return f"http://{self.server_name}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report our own errors, but not a client that went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection and answers them, or makes them fail."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 60  # seconds a connection may be idle
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]  # a narrower type

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Log nothing: the counts and the inbox show what happened."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the time as the account's clock has it."""
        skew = self.server.context.account.state["date_skew"]
        return super().date_time_string((timestamp or time.time()) + skew)

    def _serve(self) -> None:
        context = self.server.context
        url = urlsplit(self.path)
        sending = (self.command, url.path) == ("POST", v3.SEND)
        rule = _draw_fault(context) if sending else None
        if rule and rule.kind in _SPARING_BODY:
            self._fail_early(rule)
            return
        body = self._read()
        if body is None:
            return
        if rule is None or rule.accepts:
            query = dict(parse_qsl(url.query))
            reply = _answer(context, Request(self.command, url.path, query, self.headers, body))
            if rule is None or reply.status != HTTPStatus.ACCEPTED:
                self._send(reply)  # a refusal is answered as it is
                return
        self._fail(rule)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the base class's names

    def _length(self) -> int | None:
        given = self.headers.get("Content-Length", "0")
        return int(given) if given.isdecimal() else None

    def _read(self) -> bytes | None:
        context, length = self.server.context, self._length()
        if length is None or "Transfer-Encoding" in self.headers:
            self._refuse_unread(Reply(status=HTTPStatus.LENGTH_REQUIRED))
            return None
        if length > context.config.max_body:
            context.store.count({"status 413": 1})
            self._refuse_unread(v3.refusal(413))
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

    def _fail_early(self, rule: FaultRule) -> None:
        if rule.kind is FaultKind.EARLY_413:
            self._refuse_unread(_faulty_reply(rule))
        elif rule.kind is FaultKind.RESET:
            self.rfile.read(min(self._length() or 0, _PART))
            # With a linger time of zero, closing resets the connection.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
        else:
            self._close_unread()

    def _fail(self, rule: FaultRule) -> None:
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
                self._send(_faulty_reply(rule))
                return
        self.close_connection = True

    def _refuse_unread(self, reply: Reply) -> None:
        self._send(reply)
        self._close_unread()

    def _close_unread(self) -> None:
        self.connection.shutdown(socket.SHUT_WR)
        # A small body is on its way already: closing without reading it would reset the connection
        # and could lose the reply. In the middle of a large body that is what happens.
        self.rfile.read(min(self._length() or 0, _PART))
        self.close_connection = True


def _draw_fault(context: RequestContext) -> FaultRule | None:
    rule = context.faults.draw()
    context.store.count({"requests": 1} | ({f"fault {rule.kind}": 1} if rule else {}))
    return rule


def _faulty_reply(rule: FaultRule) -> Reply:
    """Return the reply of a fault that answers with valid HTTP."""
    if rule.kind is FaultKind.REDIRECT:
        return Reply(status=302, headers={"Location": "/sandbox/elsewhere"})
    status = 413 if rule.kind is FaultKind.EARLY_413 else int(rule.kind.split("_")[1])
    credits_used = rule.kind is FaultKind.STATUS_401_CREDITS
    limited = status == HTTPStatus.TOO_MANY_REQUESTS and rule.headers
    return v3.refusal(
        status,
        "Maximum credits exceeded" if credits_used else "",
        v3.rate_limit_headers(0, rule.seconds) if limited else None,
    )


def _answer(context: RequestContext, request: Request) -> Reply:
    """Run the action of the request's route; answers of mail/send are counted by status."""
    if request.path.startswith("/v3/") and not v3.is_authorized(context, request):
        reply = v3.refusal(401)
    elif status := context.account.state["refuse"].get(request.path):
        reply = v3.refusal(status)
    else:
        reply = _act(context, request)
    if request.path == v3.SEND:
        context.store.count({f"status {reply.status}": 1})
    return reply


def _act(context: RequestContext, request: Request) -> Reply:
    found = {
        method: (action, match.groups())
        for method, path, action in reversed(_ROUTES)  # of two that match, the first is taken
        if (match := path.fullmatch(request.path))
    }
    if request.method not in found:
        return v3.refusal(405 if found else 404)
    action, groups = found[request.method]
    try:
        answer = action(context, request, *groups)
    except CallError as error:
        return v3.refusal(error.status, str(error))
    if isinstance(answer, Reply):
        return answer
    return Reply(status=204) if answer is None else Reply.of(answer)
