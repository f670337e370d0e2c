"""Where the console may be served."""

import pytest

from newsletter.core.console_address import console_fault, console_url, is_console_origin

PUBLIC = "https://news.example.com"


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8081, "http://localhost:8081"),
        ("::1", 1, "http://localhost:1"),
        ("192.0.2.7", 80, "http://192.0.2.7:80"),
        ("2001:db8::1", 80, "http://[2001:db8::1]:80"),
    ],
)
def test_the_address_is_made_of_host_and_port(host: str, port: int, url: str):
    assert console_url(host, port) == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:8081"),
        ("127.0.0.1", "https://console.example.com"),
        ("0.0.0.0", "https://console.example.com"),
        ("127.0.0.1", "https://news.example.com:8443"),
    ],
)
def test_on_loopback_or_by_https_it_may_be(host: str, url: str):
    assert console_fault(host, url, PUBLIC) is None


@pytest.mark.parametrize(
    ("host", "url", "fault"),
    [
        ("0.0.0.0", "http://0.0.0.0:8081", "https"),
        ("0.0.0.0", "http://localhost:8081", "https"),
        ("127.0.0.1", "http://console.example.com", "https"),
        ("127.0.0.1", "https://news.example.com", "one of its own"),
        ("127.0.0.1", "https://NEWS.example.com:443", "one of its own"),
        ("127.0.0.1", "https://console.example.com/staff", "path"),
    ],
)
def test_otherwise_the_fault_is_returned(host: str, url: str, fault: str):
    assert fault in (console_fault(host, url, PUBLIC) or "")


def test_loopback_is_one_origin_whatever_it_is_called():
    public = "http://127.0.0.1:8080"
    assert "one of its own" in (console_fault("127.0.0.1", "http://localhost:8080", public) or "")
    assert console_fault("127.0.0.1", "http://localhost:8081", public) is None


@pytest.mark.parametrize(
    ("origin", "url", "host"),
    [
        ("https://console.example.com", "https://console.example.com", "10.0.0.7:8081"),
        ("https://console.example.com", "https://console.example.com:443", ""),
        ("http://localhost:8081", "http://localhost:8081", "localhost:8081"),
        ("http://127.0.0.1:8081", "http://localhost:8081", "127.0.0.1:8081"),
        ("http://localhost:9000", "http://localhost:8081", "localhost:9000"),
    ],
)
def test_an_origin_of_the_console_is_known_behind_a_proxy_and_through_a_tunnel(
    origin: str, url: str, host: str
):
    assert is_console_origin(origin, url, host)


@pytest.mark.parametrize(
    ("origin", "url", "host"),
    [
        ("https://elsewhere.example", "https://console.example.com", "elsewhere.example"),
        ("http://console.example.com", "https://console.example.com", "console.example.com"),
        ("http://localhost:9000", "https://console.example.com", "localhost:9000"),
        ("http://elsewhere.example:8081", "http://localhost:8081", "elsewhere.example:8081"),
        ("http://localhost:3000", "http://localhost:8081", "localhost:8081"),
        ("http://localhost:99999", "http://localhost:8081", "localhost:99999"),
        ("http://[", "http://localhost:8081", "["),
        ("null", "http://localhost:8081", "null"),
        ("", "http://localhost:8081", ""),
    ],
)
def test_a_host_that_anybody_can_name_proves_no_origin(origin: str, url: str, host: str):
    assert not is_console_origin(origin, url, host)
