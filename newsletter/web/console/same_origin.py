"""Refuses what another site's page makes a browser send (cross-site request forgery).

Browsers say in Sec-Fetch-Site where a request comes from (Fetch Metadata, W3C), and all of them
send Origin with every unsafe method. What is said must be true of the console's own URL; a request
that says neither is refused.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.core.console_address import is_console_origin
from newsletter.web.read_only_gets import SAFE_METHODS


class SameOrigin:
    """Middleware that lets only our own pages post."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        self._url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            if not self._is_ours(headers):
                refusal = PlainTextResponse("This was not sent from a page of ours.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in {None, "same-origin"} or (site is None and origin is None):
            return False
        return origin is None or is_console_origin(origin, self._url, headers.get("host", ""))
