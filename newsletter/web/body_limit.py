"""How much may be posted to a page."""

from collections.abc import AsyncGenerator

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 64 * 1024
_WEBHOOKS = "/webhooks/"  #: they have limits of their own


class BodyLimit:
    """Middleware that answers 413 once more than the limit was read of a body.

    It counts what arrives, since Content-Length may be wrong, and only while the body is read: a
    route that does not read the body answers without waiting for it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_LIMIT:
                raise HTTPException(413)  # FastAPI turns any other exception into a 400
            return message

        is_page = scope["type"] == "http" and not scope["path"].startswith(_WEBHOOKS)
        await self._app(scope, receive_limited if is_page else receive, send)


class TooLarge(Exception):
    """The post is larger than it may be."""


async def limited(request: Request, limit: int) -> AsyncGenerator[bytes]:
    """Yield the parts of the body; TooLarge once they are more than the limit."""
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > limit:
            raise TooLarge
        yield part


async def read_body(request: Request, limit: int) -> bytes | None:
    """Return the whole body, or None once it is larger than the limit."""
    try:
        return b"".join([part async for part in limited(request, limit)])
    except TooLarge:
        return None
