"""A fetch keeps its limits of size, time and patience, and says plainly what was wrong."""

import contextlib
import gzip
import socket
import threading
import time
import tracemalloc

import pytest

from newsletter.adapters.sources.fetching import Document, Fetcher, FetchFailed, FetchLimits
from newsletter.adapters.sources.network import Deadline
from tests.sources import Site, gzipped

LARGEST = 10_000


def fetch(url: str, seconds: float = 5, **conditions: str) -> Document:
    limits = FetchLimits(allow_hosts=("127.0.0.1",), largest_bytes=LARGEST, seconds=seconds)
    return Fetcher(limits).get(url, Deadline(seconds), **conditions)


def refusal(url: str, seconds: float = 5) -> str:
    with pytest.raises(FetchFailed) as refused:
        fetch(url, seconds)
    return str(refused.value)


def test_what_has_not_changed_costs_no_body(site: Site) -> None:
    url = site.serve("/feed", "hello", headers={"ETag": '"1"'})
    first = fetch(url)
    assert (first.body, first.unmodified) == (b"hello", False)
    again = fetch(url, etag=first.headers["etag"], last_modified="Mon, 23 Nov 2026 08:00:00 GMT")
    assert (again.body, again.unmodified) == (b"", True)
    assert site.asked[1][1]["If-Modified-Since"] == "Mon, 23 Nov 2026 08:00:00 GMT"


def test_a_304_nobody_asked_for_is_refused(site: Site) -> None:
    assert refusal(site.serve("/feed", status=304)) == "127.0.0.1 answered 304"


def test_three_redirects_are_followed_and_no_fourth(site: Site) -> None:
    site.serve("/0", "hello")
    for number in range(1, 5):
        site.redirect(f"/{number}", f"/{number - 1}", status=(301, 302, 307, 308)[number - 1])
    assert fetch(f"{site.url}/3").body == b"hello"
    site.asked.clear()
    assert refusal(f"{site.url}/4") == "127.0.0.1 redirects more than 3 times"
    assert [path for path, _ in site.asked] == ["/4", "/3", "/2", "/1"]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("ftp://127.0.0.1/feed", "ftp: is neither http nor https"),
        ("file:///etc/passwd", "file: is neither http nor https"),
        ("http://user:sesame@127.0.0.1/feed", "carries a user name or password"),
        ("http://127.0.0.1:99999/feed", "has no port 99999"),
        ("http://[::1/feed", "the address is not one"),
    ],
)
def test_a_redirect_to_nowhere_good_is_refused(site: Site, to: str, said: str) -> None:
    reason = refusal(site.redirect("/feed", to))
    assert said in reason
    assert "sesame" not in reason


def test_a_document_at_the_size_limit_is_read_and_one_byte_more_is_not(site: Site) -> None:
    assert len(fetch(site.serve("/fits", b"x" * LARGEST)).body) == LARGEST
    said = refusal(site.serve("/large", b"x" * (LARGEST + 1)))
    assert said == "it is larger than 10,000 bytes"


def test_an_endless_document_is_left_at_the_limit(site: Site) -> None:
    url = site.serve("/endless", b"x" * 5_000_000, promised=10**12)
    assert refusal(url) == "it is larger than 10,000 bytes"


def test_gzip_is_read(site: Site) -> None:
    url = site.serve("/feed", gzipped("hello" * 1000), headers={"Content-Encoding": "gzip"})
    assert fetch(url).body == b"hello" * 1000


def test_a_gzip_bomb_never_unfolds(site: Site) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    url = site.serve("/bomb", bomb, headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    try:
        assert refusal(url) == "it is larger than 10,000 bytes"
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (gzipped("hello")[:-6], "gzip", "cut short"),
        (gzipped("hello") + b"more", "gzip", "goes on after its end"),
        (b"hello", "gzip", "is said to be gzip, and is not"),
        (b"hello", "br", "compressed with br"),
        (gzipped("hello"), "gzip, gzip", "compressed with gzip, gzip"),
    ],
)
def test_what_is_packed_badly_is_refused(site: Site, body: bytes, encoding: str, said: str) -> None:
    assert said in refusal(site.serve("/feed", body, headers={"Content-Encoding": encoding}))


def test_a_body_that_drips_is_left_at_the_deadline(site: Site) -> None:
    url = site.serve("/slow", b"x" * 1000, drip=lambda: site.stopping.wait(0.05) and None)
    began = time.monotonic()
    assert refusal(url, 0.3) == "127.0.0.1 took longer than 0.3 seconds"
    assert time.monotonic() - began < 30  # of the fifty that the whole takes


def test_headers_that_drip_are_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not over.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        said = refusal(f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.3)
        over.set()
        thread.join()
    assert said == "127.0.0.1 took longer than 0.3 seconds"


def test_a_body_that_ends_too_soon_is_refused(site: Site) -> None:
    said = refusal(site.serve("/short", b"half of i", promised=18))
    assert said == "127.0.0.1 broke off, or does not speak HTTP"


def test_a_closed_port_is_said_to_be_out_of_reach(site: Site) -> None:
    site.server.server_close()
    assert refusal(f"{site.url}/feed") == "127.0.0.1 cannot be reached"


@pytest.mark.parametrize("status", [204, 401, 403, 404, 410, 429, 500, 503])
def test_another_status_is_said_without_the_address_s_query(site: Site, status: int) -> None:
    site.serve("/feed", "sorry", status=status)
    assert refusal(f"{site.url}/feed?token=sesame") == f"127.0.0.1 answered {status}"
