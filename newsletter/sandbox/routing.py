"""Requests, replies and routes, and the context they run in."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Concatenate

from newsletter.sandbox.account_state import PlayedAccount
from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.event_sender import EventSender, Signer
from newsletter.sandbox.faults import FaultRules
from newsletter.sandbox.store import Store

ID_DIGITS = 18  #: a longer number does not fit SQLite's 64 bits


class CallError(Exception):
    """A call that is answered with an error in SendGrid's shape."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """An HTTP request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message  #: looked up in any case
    body: bytes = b""

    def number(self, name: str, default: int) -> int:
        """Return a whole number from the query; CallError if it is negative or no number."""
        given = self.query.get(name, str(default))
        if not given.isdecimal() or len(given) > ID_DIGITS:
            raise CallError(400, f"{name} must be a whole number")
        return int(given)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP response."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        body = json.dumps(value).encode() + b"\n"
        return cls(status=status, body=body, headers=headers or {})


class CallLimit:
    """Admits so many calls a minute."""

    def __init__(self) -> None:
        self._calls: list[float] = []
        self._lock = threading.Lock()

    def admits(self, per_minute: int) -> bool:
        """Return whether a call may pass now, and count it if it does."""
        with self._lock:
            now = time.monotonic()
            self._calls = [at for at in self._calls if at >= now - 60]
            if per_minute and len(self._calls) >= per_minute:
                return False
            self._calls.append(now)
            return True


@dataclass(frozen=True)
class RequestContext:
    """The parts of a sandbox that a route may use."""

    config: SandboxConfig
    store: Store
    signer: Signer
    faults: FaultRules
    event_sender: EventSender
    account: PlayedAccount = field(default_factory=PlayedAccount)
    logs_limit: CallLimit = field(default_factory=CallLimit)


#: Answers with a reply, with a value to send as JSON, or with nothing (204). It also takes the
#: groups of the path.
Action = Callable[Concatenate[RequestContext, Request, ...], Reply | dict[str, Any] | None]
Route = tuple[str, re.Pattern[str], Action]


def route(method: str, path: str, action: Action) -> Route:
    """Return a route; `{}` in the path stands for one part of it, an argument of the action."""
    return method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), action
