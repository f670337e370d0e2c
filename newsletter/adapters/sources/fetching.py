"""Fetching of one document by GET, within limits of network, size and time."""

import json
import ssl
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message

import httpcore
import httpx

from newsletter import __version__
from newsletter.adapters.sources.network import (
    Deadline,
    ForbiddenAddress,
    GuardedNetwork,
    Resolve,
    resolve,
    trusted_tls,
)

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_OK, _NOT_MODIFIED = 200, 304
_LATER = (429, 503)
_LAST_PORT = 65_535
_GZIP = 31  #: zlib's window bits for a gzip member and nothing else
_GZIP_MARK = b"\x1f\x8b\x08"
_CONDITIONAL = frozenset({"If-None-Match", "If-Modified-Since"})
_REQUEST_HEADERS = {
    "User-Agent": f"newsletter/{__version__}",
    "Accept": "application/atom+xml, application/rss+xml, application/feed+json, "
    "application/json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1",
    "Accept-Encoding": "gzip",
    "Connection": "close",
}
_LINK_HEADERS = _REQUEST_HEADERS | {"Accept": "text/html, */*;q=0.5", "Accept-Encoding": "identity"}


class FetchFailed(Exception):
    """The document cannot be fetched. The message says why, without the address's query."""

    def __init__(self, reason: str, *, retry_after: str = "") -> None:
        super().__init__(reason)
        self.retry_after = retry_after  #: as the server says it


def loaded_json(text: str) -> object:
    """Return the JSON's value; FetchFailed if it is not JSON, or nested too deeply."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        raise FetchFailed("it is not JSON, or cut short") from None


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """Limits of a fetch."""

    largest_bytes: int = 5_000_000  #: of one document, unpacked
    seconds: float = 20  #: for everything, redirects and pages included
    allow_hosts: tuple[str, ...] = ()  #: hosts that may be on a private network


@dataclass(frozen=True, kw_only=True)
class Document:
    """A fetched document; an unmodified one has no body."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])  #: names in small letters
    unmodified: bool = False

    @property
    def media_type(self) -> str:
        """Return the media type in small letters; text/plain where none is named."""
        return self._content_type.get_content_type()

    @property
    def charset(self) -> str:
        """Return the charset the server named, if it did."""
        return self._content_type.get_content_charset() or ""

    @property
    def _content_type(self) -> Message:
        message = Message()
        message["Content-Type"] = self.headers.get("content-type", "")
        return message


@dataclass(frozen=True, kw_only=True)
class LinkAnswer:
    """What is behind a link, without its body."""

    status: int
    url: str  #: where the last redirect led
    length: int  #: bytes, as the server says; 0 when it does not


class Fetcher:
    """Fetches documents from the public internet."""

    def __init__(
        self, limits: FetchLimits, *, resolve: Resolve = resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        self.limits = limits
        tls = tls or trusted_tls()
        self._network = GuardedNetwork(allow=limits.allow_hosts, resolve=resolve, tls=tls)

    def get(
        self, url: str, deadline: Deadline, *, etag: str = "", last_modified: str = ""
    ) -> Document:
        """Return the document, unmodified or with its body; FetchFailed says why there is none."""
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        request_headers = _REQUEST_HEADERS | {
            name: value for name, value in conditions.items() if value
        }
        address = _address(url)
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                found = self._ask(address, request_headers, deadline)
            except (httpcore.TimeoutException, httpcore.NetworkError) as error:
                raise FetchFailed(_failure_reason(error, address, self.limits)) from None
            except httpcore.ProtocolError:
                raise FetchFailed(f"{address.host} broke off, or does not speak HTTP") from None
            if isinstance(found, Document):
                return found
            address = found
        raise FetchFailed(f"{address.host} redirects more than {_MOST_REDIRECTS} times")

    def _ask(
        self, address: httpx.URL, request_headers: dict[str, str], deadline: Deadline
    ) -> Document | httpx.URL:
        """Make one request; return its document, or where it redirects to."""
        with self._network.response("GET", address, request_headers, deadline) as response:
            headers = _headers(response.headers)
            if response.status in _REDIRECTS and "location" in headers:
                return _address(headers["location"], base=address)
            if response.status == _NOT_MODIFIED and not request_headers.keys().isdisjoint(
                _CONDITIONAL
            ):
                return Document(headers=headers, unmodified=True)
            if response.status != _OK:
                later = headers.get("retry-after", "") if response.status in _LATER else ""
                raise FetchFailed(f"{address.host} answered {response.status}", retry_after=later)
            return Document(body=self._body(response, headers), headers=headers)

    def probe(self, method: str, url: str, deadline: Deadline) -> LinkAnswer:
        """Return the answer of a link, its body unread; FetchFailed or httpcore's own errors."""
        address = _address(url)
        for _ in range(_MOST_REDIRECTS + 1):
            with self._network.response(method, address, _LINK_HEADERS, deadline) as response:
                headers = _headers(response.headers)
                if response.status not in _REDIRECTS or "location" not in headers:
                    said = headers.get("content-length", "")
                    length = int(said) if said.isascii() and said.isdigit() else 0
                    return LinkAnswer(status=response.status, url=str(address), length=length)
            address = _address(headers["location"], base=address)
        raise FetchFailed(f"{address.host} redirects more than {_MOST_REDIRECTS} times")

    def _body(self, response: httpcore.Response, headers: dict[str, str]) -> bytes:
        largest = self.limits.largest_bytes
        chunks = response.iter_stream()
        encoding = (headers.get("content-encoding") or "identity").lower()
        if encoding in ("gzip", "x-gzip"):
            chunks = _unpacked(chunks, largest)
        elif encoding != "identity":
            raise FetchFailed(f"it is compressed with {encoding[:20]}, which was not requested")
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > largest:
                raise FetchFailed(f"it is larger than {largest:,} bytes")
        if body.startswith(_GZIP_MARK):  # a file that was packed before, and is served as it is
            body = b"".join(_unpacked([bytes(body)], largest))
            if len(body) > largest:
                raise FetchFailed(f"it is larger than {largest:,} bytes")
        return bytes(body)


def _address(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        address = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise FetchFailed("the address is not one") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise FetchFailed(f"{address.scheme or 'no scheme'}: is neither http nor https")
    if address.userinfo:
        raise FetchFailed(f"the address at {address.host} carries a user name or password")
    if address.port is not None and not 0 < address.port <= _LAST_PORT:
        raise FetchFailed(f"{address.host} has no port {address.port}")
    return address


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


def _unpacked(chunks: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """Yield what a gzip member holds, never more than one byte beyond the largest size."""
    unpacker, left = zlib.decompressobj(_GZIP), largest + 1
    for chunk in chunks:
        try:
            unpacked = unpacker.decompress(chunk, left)
        except zlib.error:
            raise FetchFailed("it is said to be gzip, and is not") from None
        left -= len(unpacked)
        yield unpacked
        if not left:
            return
    if not unpacker.eof or unpacker.unused_data:
        raise FetchFailed("its gzip is cut short, or goes on after its end")


def _failure_reason(error: Exception, address: httpx.URL, limits: FetchLimits) -> str:
    match error:
        case ForbiddenAddress():
            return f"{address.host} is not on the public internet"
        case httpcore.TimeoutException():
            return f"{address.host} took longer than {limits.seconds:g} seconds"
        case _:
            return f"{address.host} cannot be reached"
