"""A request body as the vendor's client takes it without writing it anew.

Of a large batch the client's own `json.dumps` would take more time than everything else together,
and it formats each body for a log that nobody reads.
"""

from typing import Any, Self

import orjson

#: Other than the client's own, so that it takes the body as it is.
CONTENT_TYPE = "application/json; charset=utf-8"


class Body(bytes):
    """JSON, ready to be posted. Where it is printed, it says how long it is, and nobody's name."""

    __slots__ = ()

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """Write this content; TypeError if JSON cannot hold it."""
        return cls(orjson.dumps(content))

    def encode(self, _encoding: str) -> Self:
        """Return itself: the client encodes what is not its own JSON."""
        return self

    def __str__(self) -> str:
        """Return what a log may hold."""
        return f"({len(self)} bytes)"

    __repr__ = __str__
