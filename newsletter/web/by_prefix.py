"""One origin for two applications: the API under its path, and the console everywhere else.

Neither knows of the other: what guards the console's forms, such as cookies and the origin of a
request, does not concern the API, and a token opens nothing at the console.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class ByPrefix:
    """Hands each request to the application that its path belongs to."""

    def __init__(self, app: ASGIApp, prefix: str, below: ASGIApp) -> None:
        self._app, self._prefix, self._below = app, prefix, below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        is_below = path == self._prefix or path.startswith(f"{self._prefix}/")
        await (self._below if is_below else self._app)(scope, receive, send)
