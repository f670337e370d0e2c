"""The room the routes work in, and what a route is."""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.event_sender import EventSender
from newsletter.sandbox.faults import Faults
from newsletter.sandbox.signing import Signer
from newsletter.sandbox.store import Store
from newsletter.sandbox.transport import Reply, Request

_DIGITS = 18  #: a longer number does not fit SQLite's 64 bits


class BadRequest(Exception):
    """The request asks for something that makes no sense; the sentence says what."""


class RouteNotFound(Exception):
    """There is nothing of this name."""


class Gate:
    """Lets so many calls a minute through, as a rate limit does."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def admits(self, per_minute: int) -> bool:
        """Tell whether a call may pass now, and count it if it does."""
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
    """Everything a route may use."""

    config: SandboxConfig
    store: Store
    signer: Signer
    faults: Faults
    postman: EventSender
    gate: Gate = field(default_factory=Gate)  #: before Email Logs


@dataclass(frozen=True)
class Route:
    """A method and a path, whose groups become arguments of the action."""

    method: str
    path: re.Pattern[str]
    action: Callable[..., Reply]  #: of the room, the request, and the groups


def route(method: str, path: str, action: Callable[..., Reply]) -> Route:
    """Return a route; `{}` in the path stands for one part of it."""
    return Route(method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), action)


def number(request: Request, name: str, default: int) -> int:
    """Return a whole number from the query; BadRequest names it when it is none, or negative."""
    given = request.query.get(name, str(default))
    if not given.isdecimal() or len(given) > _DIGITS:
        raise BadRequest(f"{name} must be a whole number")
    return int(given)
