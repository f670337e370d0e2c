"""Asks the public address as anybody would: over the network, without following redirects."""

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from newsletter import __version__
from newsletter.core.site import SiteAnswer
from newsletter.errors import SiteUnreachable

_LONGEST = 10_000  #: characters of an answer that are looked at


class HttpPublicSite:
    """The web pages behind the public address."""

    def __init__(self, base_url: str, *, seconds: float) -> None:
        self._base_url, self._seconds = base_url, seconds
        self._context = ssl.create_default_context()

    def certificate_end(self) -> datetime | None:
        """Return until when the certificate holds; None without TLS."""
        url = urlsplit(self._base_url)
        if url.scheme != "https":
            return None
        place = (url.hostname or "", url.port or 443)
        try:
            with (
                socket.create_connection(place, self._seconds) as plain,
                self._context.wrap_socket(plain, server_hostname=url.hostname) as secure,
            ):
                certificate = secure.getpeercert() or {}
        except OSError as error:  # of which ssl's errors are some
            raise SiteUnreachable(_reason(error)) from error
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)

    def ask(self, method: str, path: str, body: str = "") -> SiteAnswer:
        headers = {"User-Agent": f"newsletter-doctor/{__version__}", "Accept": "text/html"}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            with httpx.Client(verify=self._context, timeout=self._seconds) as client:
                answer = client.request(
                    method, self._base_url + path, headers=headers, content=body or None
                )
        except (httpx.HTTPError, OSError) as error:
            raise SiteUnreachable(_reason(error)) from error
        location = answer.headers.get("Location", "")
        return SiteAnswer(status=answer.status_code, location=location, text=answer.text[:_LONGEST])


def _reason(error: Exception) -> str:
    return f"no answer: {str(error) or type(error).__name__}"
