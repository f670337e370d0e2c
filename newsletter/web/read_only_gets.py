"""A GET changes nothing: its transactions are read-only, so PostgreSQL refuses a write."""

from starlette.types import ASGIApp, Receive, Scope, Send

from subscribers.db.read_only import read_only

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ReadOnlyGets:
    """Middleware around everything that a safe method calls."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with read_only(scope["type"] == "http" and scope["method"] in SAFE_METHODS):
            await self._app(scope, receive, send)
