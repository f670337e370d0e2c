"""A network backend that connects to public addresses only, within a deadline.

A host is resolved here only, and the connection goes to the address that was checked: a name whose
address changes between check and use (DNS rebinding) gains nothing. TLS still verifies the host's
name, because the HTTP layer above does that. See docs/decisions/guarded-network-for-sources.md.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # RFC 4291: all that IANA has given out

Resolve = Callable[[str, int], Sequence[str]]


class ForbiddenAddress(httpcore.ConnectError):
    """The host is not on the public internet."""


class UnknownHost(httpcore.ConnectError):
    """There is no host of this name."""


def is_public(address: str) -> bool:
    """Return whether this IP address, and any IPv4 address within it, is on the public internet.

    >>> is_public("93.184.216.34"), is_public("::ffff:127.0.0.1"), is_public("169.254.169.254")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not (ip.is_multicast or ip.is_reserved)
    if hidden := _hidden_ipv4(ip):
        return is_public(str(hidden))
    return ip.is_global and ip in _GLOBAL_UNICAST


def _hidden_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:  # the way out of a network that has only IPv6
        return ipaddress.IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, best first; OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def trusted_tls() -> ssl.SSLContext:
    """Return what judges certificates; one for all, since it reads every authority there is."""
    return httpcore.default_ssl_context()


class Deadline:
    """The time by which a whole reading must end, however slowly data arrives."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left; ReadTimeout when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to public addresses, and to hosts on the allow list wherever they are."""

    def __init__(self, deadline: Deadline, allow: Collection[str], resolve: Resolve) -> None:
        self._deadline, self._resolve = deadline, resolve
        self._allow = {host.casefold() for host in allow}
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the deadline is the only limit
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve once, check every address, and connect to the first that answers."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._checked(host, port):
            try:
                stream = self._inner.connect_tcp(
                    address, port, self._deadline.left(), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise UnknownHost(f"there is no host {host}") from None
        if host.casefold() not in self._allow and not all(map(is_public, addresses)):
            raise ForbiddenAddress(f"{host} is not on the public internet")
        return addresses


@dataclass(frozen=True, kw_only=True)
class GuardedNetwork:
    """Makes single requests to public addresses, and to hosts on the allow list wherever they are.

    Redirects are not followed.
    """

    allow: Collection[str]
    resolve: Resolve
    tls: ssl.SSLContext

    @contextmanager
    def response(
        self,
        method: str,
        address: httpx.URL,
        headers: Mapping[str, str],
        deadline: Deadline,
        content: bytes | None = None,
    ) -> Generator[httpcore.Response]:
        """Make one request, and yield its response with the body unread."""
        backend = GuardedBackend(deadline, self.allow, self.resolve)
        url = httpcore.URL(
            scheme=address.raw_scheme,
            host=address.raw_host,
            port=address.port,
            target=address.raw_path,
        )
        with (
            httpcore.ConnectionPool(ssl_context=self.tls, network_backend=backend) as pool,
            pool.stream(method, url, headers=list(headers.items()), content=content) as response,
        ):
            yield response


class _TimedStream(httpcore.NetworkStream):
    """A stream on which no wait exceeds the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # as above
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # as above
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # as above
    ) -> httpcore.NetworkStream:
        stream = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
