"""How often a token may ask: a bucket that fills evenly (draft-ietf-httpapi-ratelimit-headers)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

_WINDOW = 60  #: seconds in which an empty bucket fills


@dataclass(frozen=True)
class Allowance:
    """What a token has left after a request."""

    allowed: bool
    left: int
    seconds: int  #: until the bucket is full, or, after a refusal, until one may ask again
    policy: int

    @property
    def headers(self) -> Mapping[str, str]:
        said = {
            "RateLimit-Policy": f'"token";q={self.policy};w={_WINDOW}',
            "RateLimit": f'"token";r={self.left};t={self.seconds}',
        }
        return said if self.allowed else said | {"Retry-After": str(self.seconds)}


@dataclass(eq=False)
class RequestAllowances:
    """Counts the requests of each token, in this process."""

    per_minute: int
    now: Callable[[], datetime]
    _buckets: dict[int, tuple[float, datetime]] = field(
        default_factory=dict[int, tuple[float, datetime]]
    )
    _lock: Lock = field(default_factory=Lock)

    def take(self, token_id: int) -> Allowance:
        """Count a request, unless there were too many."""
        with self._lock:
            now = self.now()
            content = self._content(token_id, now)
            allowed = content >= 1
            content -= allowed
            self._buckets[token_id] = content, now
        rate = self.per_minute / _WINDOW
        missing = self.per_minute - content if allowed else 1 - content
        return Allowance(allowed, int(content), math.ceil(missing / rate), self.per_minute)

    def _content(self, token_id: int, now: datetime) -> float:
        full = float(self.per_minute)
        content, at = self._buckets.get(token_id, (full, now))
        passed = max(0.0, (now - at).total_seconds())
        return min(full, content + passed * full / _WINDOW)
