"""Nothing that is not on the public internet is asked, by whatever name or detour."""

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from newsletter.adapters.sources.fetching import Fetcher, FetchFailed, FetchLimits
from newsletter.adapters.sources.network import Deadline, is_public, resolve
from tests.sources import Site

PRIVATE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
PRIVATE_V6 = [
    "::/128",
    "::1/128",
    "2001::/32",  # Teredo
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]

private_v4 = st.sampled_from(PRIVATE).flatmap(lambda network: st.ip_addresses(v=4, network=network))
private_v6 = st.sampled_from(PRIVATE_V6).flatmap(
    lambda network: st.ip_addresses(v=6, network=network)
)


def embedded(prefix: str, shift: int) -> Callable[[ipaddress.IPv4Address], str]:
    """Return what hides an IPv4 address in an IPv6 one."""
    base = int(ipaddress.IPv6Address(prefix))
    return lambda ip: str(ipaddress.IPv6Address(base | int(ip) << shift))


HIDING = {
    "mapped": embedded("::ffff:0:0", 0),
    "compatible": embedded("::", 0),
    "NAT64": embedded("64:ff9b::", 0),
    "6to4": embedded("2002::", 80),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_asked(address: str) -> None:
    assert is_public(address)


@given(private_v4)
def test_no_private_ipv4_address_may_be_asked(ip: ipaddress.IPv4Address) -> None:
    assert not is_public(str(ip))


@given(private_v6)
def test_no_private_ipv6_address_may_be_asked(ip: ipaddress.IPv6Address) -> None:
    assert not is_public(str(ip))


@given(private_v4, st.sampled_from(sorted(HIDING)))
def test_a_private_address_hidden_in_ipv6_may_not_be_asked(
    ip: ipaddress.IPv4Address, way: str
) -> None:
    assert not is_public(HIDING[way](ip))


def test_a_zone_does_not_hide_a_link_local_address() -> None:
    assert not is_public("fe80::1%eth0")


class Names:
    """A resolver that gives its answers one after the other, and counts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


def fetch(url: str, *, allow: tuple[str, ...] = (), names: Names | None = None) -> bytes:
    limits = FetchLimits(allow_hosts=allow, seconds=5)
    fetcher = Fetcher(limits, resolve=names or resolve)
    return fetcher.get(url, Deadline(5)).body


def refusal(url: str, **how: object) -> str:
    with pytest.raises(FetchFailed) as refused:
        fetch(url, **how)  # type: ignore[arg-type]
    return str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "0"])
def test_loopback_is_refused_however_it_is_spelled(site: Site, host: str) -> None:
    site.serve("/feed", "x")
    assert "not on the public internet" in refusal(f"http://{host}:{site.port}/feed")
    assert site.asked == []


def test_a_name_that_leads_to_one_private_address_is_refused_whole(site: Site) -> None:
    names = Names(["93.184.216.34", "127.0.0.1"])
    url = f"http://news.example.com:{site.port}/feed"
    assert refusal(url, names=names) == "news.example.com is not on the public internet"
    assert site.asked == []


def test_the_address_that_was_checked_is_the_one_connected_to(site: Site) -> None:
    site.serve("/feed", "hello")
    names = Names(["127.0.0.1"], ["10.0.0.1"])  # asked again, it would say something else
    host = "news.example.com"
    assert fetch(f"http://{host}:{site.port}/feed", allow=(host,), names=names) == b"hello"
    assert names.asked == 1
    assert site.asked[0][1]["Host"] == f"{host}:{site.port}"


def test_the_allow_list_names_hosts_not_addresses(site: Site) -> None:
    site.serve("/feed", "hello")
    names = Names(["127.0.0.1"])
    url = f"http://other.example.com:{site.port}/feed"
    assert "not on the public internet" in refusal(url, allow=("127.0.0.1",), names=names)


def test_a_redirect_is_checked_like_the_first_address(site: Site) -> None:
    site.serve("/secret", "secret")
    site.redirect("/feed", f"http://localhost:{site.port}/secret")
    said = refusal(f"{site.url}/feed", allow=("127.0.0.1",))
    assert said == "localhost is not on the public internet"
    assert [path for path, _ in site.asked] == ["/feed"]


def test_a_redirect_to_the_same_name_is_resolved_and_checked_anew(site: Site) -> None:
    host = "news.example.com"
    site.redirect("/feed", "/again")
    site.serve("/again", "hello")
    names = Names(["127.0.0.1"], ["127.0.0.1"])
    fetch(f"http://{host}:{site.port}/feed", allow=(host,), names=names)
    assert names.asked == 2


def test_an_address_that_does_not_answer_gives_way_to_the_next(site: Site) -> None:
    site.serve("/feed", "hello")
    host = "news.example.com"
    names = Names(["127.0.0.9", "127.0.0.1"])  # the site listens on the second alone
    assert fetch(f"http://{host}:{site.port}/feed", allow=(host,), names=names) == b"hello"


def certified(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server with a certificate for this host, and of who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "chain.pem"
    chain.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return server, ssl.create_default_context(cafile=str(chain))


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Site, ssl.SSLContext]]:
    """A site with a certificate for news.example.com, and the context that trusts it."""
    server, client = certified(tmp_path, "news.example.com")
    site = Site()
    site.server.socket = server.wrap_socket(site.server.socket, server_side=True)
    site.server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,))
    thread.start()
    yield site, client
    site.server.shutdown()
    site.server.server_close()
    thread.join()


def fetch_securely(host: str, secure: tuple[Site, ssl.SSLContext]) -> bytes:
    site, client = secure
    site.serve("/feed", "hello")
    fetcher = Fetcher(FetchLimits(allow_hosts=(host,)), resolve=Names(["127.0.0.1"]), tls=client)
    return fetcher.get(f"https://{host}:{site.port}/feed", Deadline(5)).body


def test_tls_asks_for_the_name_although_the_connection_is_to_the_address(
    secure: tuple[Site, ssl.SSLContext],
) -> None:
    assert fetch_securely("news.example.com", secure) == b"hello"


def test_a_certificate_for_another_name_is_refused(secure: tuple[Site, ssl.SSLContext]) -> None:
    with pytest.raises(FetchFailed, match=r"other\.example\.com cannot be reached"):
        fetch_securely("other.example.com", secure)
    assert secure[0].asked == []
