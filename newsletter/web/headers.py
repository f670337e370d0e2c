"""Headers that every answer bears: the pages load nothing but themselves, and tell nobody."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Cache-Control": "no-store",  # some pages are one reader's own
    "Content-Security-Policy": (  # a letter's own styles are inline
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # a link's token is nobody else's business
    "X-Content-Type-Options": "nosniff",
}


class GuardedHeaders:
    """An application whose answers bear the headers, unless they have such a one of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application within does, with the headers."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                guard(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_guarded)


def guard(headers: MutableHeaders) -> None:
    """Add what is not there yet."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
