"""How much may be posted to a page: no form of ours is long, whoever says otherwise."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 64 * 1024
_WEBHOOKS = "/webhooks/"  #: they have limits of their own


class BodyLimit:
    """An application that is told of no body longer than the limit.

    What arrives is counted, and only while it is read: a length that is announced may be a lie,
    and who does not read a body need not wait for it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application within does, or with 413 once too much was read."""
        received = 0

        async def receive_short() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_LIMIT:
                raise HTTPException(413)  # FastAPI's own: it takes any other for a bad form
            return message

        is_page = scope["type"] == "http" and not scope["path"].startswith(_WEBHOOKS)
        await self._app(scope, receive_short if is_page else receive, send)
