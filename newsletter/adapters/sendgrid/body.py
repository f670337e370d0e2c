"""A request body that the vendor's client does not serialize again.

For a large batch the client's own `json.dumps` takes more time than everything else together, and
it formats each body for a debug log.
"""

from typing import Any, Self

import orjson

#: Unlike the client's own, so that it takes the body as it is.
CONTENT_TYPE = "application/json; charset=utf-8"


class Body(bytes):
    """JSON, ready to be posted; printed, it shows its length and no address."""

    __slots__ = ()

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """Serialize this content; TypeError if JSON cannot hold it."""
        return cls(orjson.dumps(content))

    def encode(self, _encoding: str) -> Self:
        """Return itself: the client encodes what is not its own JSON."""
        return self

    def __str__(self) -> str:
        return f"({len(self)} bytes)"

    __repr__ = __str__
