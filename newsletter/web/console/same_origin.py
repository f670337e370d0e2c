"""Refuses what another site's page makes a browser send (cross-site request forgery).

Browsers say in Sec-Fetch-Site where a request comes from (Fetch Metadata, W3C); older ones send
Origin with every unsafe method. A request that says neither is refused.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    """Middleware that lets only our own pages post."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            if not _is_ours(headers):
                refusal = PlainTextResponse("This was not sent from a page of ours.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_ours(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] == headers.get("host")
