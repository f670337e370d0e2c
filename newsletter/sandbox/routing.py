"""Routes, and the context they run in."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.event_sender import EventSender
from newsletter.sandbox.faults import FaultRules
from newsletter.sandbox.signing import Signer
from newsletter.sandbox.store import Store

ID_DIGITS = 18  #: a longer number does not fit SQLite's 64 bits


@dataclass(frozen=True)
class Request:
    """An HTTP request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message  #: looked up in any case
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP response."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        """Return a JSON reply."""
        body = json.dumps(value).encode() + b"\n"
        return cls(status=status, body=body, headers=headers or {})


class BadRequest(Exception):
    """The request is wrong; the message says how."""


class RouteNotFound(Exception):
    """There is nothing at this path."""


class CallLimit:
    """Admits so many calls a minute."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def admits(self, per_minute: int) -> bool:
        """Return whether a call may pass now, and count it if it does."""
        with self._lock:
            now = time.monotonic()
            while self._calls and self._calls[0] < now - 60:
                self._calls.popleft()
            if per_minute and len(self._calls) >= per_minute:
                return False
            self._calls.append(now)
            return True


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """The parts of a sandbox that a route may use."""

    config: SandboxConfig
    store: Store
    signer: Signer
    faults: FaultRules
    event_sender: EventSender
    logs_limit: CallLimit = field(default_factory=CallLimit)


@dataclass(frozen=True)
class Route:
    """A method and a path, whose groups become arguments of the action."""

    method: str
    path: re.Pattern[str]
    action: Callable[..., Reply]  #: takes the context, the request and the groups


def route(method: str, path: str, action: Callable[..., Reply]) -> Route:
    """Return a route; `{}` in the path stands for one part of it."""
    return Route(method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), action)


def number(request: Request, name: str, default: int) -> int:
    """Return a whole number from the query; BadRequest if it is negative or no number."""
    given = request.query.get(name, str(default))
    if not given.isdecimal() or len(given) > ID_DIGITS:
        raise BadRequest(f"{name} must be a whole number")
    return int(given)
