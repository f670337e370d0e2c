"""Posts to webhook endpoints through the guarded network, within limits of time and size.

See docs/decisions/guarded-network-for-sources.md.
"""

import ssl
import unicodedata
from collections.abc import Collection, Mapping
from contextlib import suppress

import httpcore
import httpx

from newsletter import __version__
from newsletter.adapters.redaction import redactor
from newsletter.adapters.sources.network import (
    Deadline,
    ForbiddenAddress,
    GuardedNetwork,
    Resolve,
    UnknownHost,
    resolve,
    trusted_tls,
)
from newsletter.core.webhook_delivery import ANSWER_LENGTH, WebhookAnswer

_HEADERS = {
    "User-Agent": f"newsletter/{__version__}",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_MOST_BYTES = 4 * ANSWER_LENGTH  #: of an answer that are read: UTF-8 has four for a character
_SUCCESS = range(200, 300)

_redact = redactor()


class HttpWebhooks:
    """Posts to endpoints on the public internet, and to hosts on the allow list."""

    def __init__(
        self,
        *,
        seconds: float,
        allow_hosts: Collection[str] = (),
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        tls = tls or trusted_tls()
        self._network = GuardedNetwork(allow=allow_hosts, resolve=resolve, tls=tls)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Post once; return what was answered, or why nothing was."""
        try:
            address = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            return WebhookAnswer(reason="its address is not one")
        sent = _HEADERS | {"Host": address.netloc.decode(), **headers}
        deadline = Deadline(self._seconds)
        try:
            with self._network.response("POST", address, sent, deadline, body) as response:
                return _answer(address.host, response)
        except (httpcore.TimeoutException, httpcore.NetworkError) as error:
            return WebhookAnswer(reason=self._reason(error, address.host))
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError):
            return WebhookAnswer(reason=f"{address.host} broke off, or does not speak HTTP")

    def _reason(self, error: Exception, host: str) -> str:
        match error:
            case ForbiddenAddress():
                return f"{host} is not on the public internet"
            case UnknownHost():
                return f"there is no host {host}"
            case httpcore.TimeoutException():
                return f"{host} took longer than {self._seconds:g} seconds"
            case _:
                return f"{host} cannot be reached"


def _answer(host: str, response: httpcore.Response) -> WebhookAnswer:
    status = response.status
    reason = "" if status in _SUCCESS else f"{host} answered {status}"
    return WebhookAnswer(status=status, reason=reason, body=_beginning(response))


def _beginning(response: httpcore.Response) -> str:
    """Return the first characters of an answer's body; what breaks off afterwards is no loss."""
    body = bytearray()
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for chunk in response.iter_stream():
            body += chunk
            if len(body) >= _MOST_BYTES:
                break
    text = bytes(body[:_MOST_BYTES]).decode("utf-8", "replace")
    printable = ("" if unicodedata.category(one) == "Cc" and one != "\n" else one for one in text)
    return _redact("".join(printable)[:ANSWER_LENGTH])
