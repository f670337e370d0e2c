"""Security headers of every answer: pages load nothing but a story's picture; no referrer."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (  # a letter's own styles are inline
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:{}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",  # some pages are private to one reader
    "Content-Security-Policy": _POLICY.format(""),
    "Referrer-Policy": "no-referrer",  # a referrer would give away the token in a link
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",  # most pages are personal, or forms
}

#: What anybody may read, and search engines too; it is the same for everybody.
PUBLIC: Mapping[str, str] = {"Cache-Control": "public, max-age=300", "X-Robots-Tag": "all"}


def showing(pictures: Iterable[str]) -> Mapping[str, str]:
    """Return the policy of a public page that shows these pictures, from their own hosts."""
    hosts = sorted({"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in pictures})
    return {"Content-Security-Policy": _POLICY.format("".join(f" {one}" for one in hosts))}


class SecurityHeaders:
    """Middleware that adds the security headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp, values: Mapping[str, str] | None = None) -> None:
        self._app, self._values = app, _HEADERS if values is None else values

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message), self._values)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def add_security_headers(headers: MutableHeaders, values: Mapping[str, str] = _HEADERS) -> None:
    """Add those that are not there yet."""
    for name, value in values.items():
        headers.setdefault(name, value)
