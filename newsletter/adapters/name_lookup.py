"""Looks up names in the DNS, within a time limit."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata

from newsletter.errors import ConfigurationError, LookupUnanswered


class NameLookup:
    """Asks this machine's name servers, or others."""

    def __init__(self, servers: Iterable[str] = (), *, seconds: float = 5) -> None:
        named = [_server(one) for one in servers]
        try:
            self._resolver = dns.resolver.Resolver(configure=not named)
        except dns.resolver.NoResolverConfiguration:
            raise ConfigurationError(
                "this machine knows no name server: --resolver names one"
            ) from None
        if named:
            self._resolver.nameservers = [address for address, _ in named]
            self._resolver.nameserver_ports = dict(named)
        self._resolver.lifetime = seconds

    def __call__(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the values, none where there are none; LookupUnanswered if nobody answers."""
        try:
            found = self._resolver.resolve(name, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return ()
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise LookupUnanswered(f"the DNS does not answer: {_reason(error)}") from error
        return tuple(_values(found.rrset or ()))


def _reason(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, dns.exception.Timeout) else str(error)


def _values(records: Iterable[Rdata]) -> Iterator[str]:
    for one in records:
        if one.rdtype == dns.rdatatype.TXT:
            # A long text comes in pieces, which are joined without a blank (RFC 7208, 3.3).
            yield b"".join(getattr(one, "strings", ())).decode("utf-8", "replace")
        elif one.rdtype == dns.rdatatype.MX:
            yield str(getattr(one, "exchange", ""))
        else:
            yield one.to_text()


def _server(text: str) -> tuple[str, int]:
    """Return address and port of a server that is written as 9.9.9.9 or 127.0.0.1:5353."""
    host, colon, port = text.rpartition(":")
    if not colon or ":" in host:  # an IPv6 address has no port here
        host, port = text, "53"
    try:
        return str(ip_address(host)), int(port)
    except ValueError:
        raise ConfigurationError(f"{text!r} is not a name server like 9.9.9.9") from None
