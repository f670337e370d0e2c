"""A web server of the test's own, which answers as scripted and remembers what it was asked."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from newsletter.adapters.sources.fetching import Fetcher, FetchLimits
from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Verification
from newsletter.core.source import FieldDefaults, PolledSource, SourceKind
from newsletter.core.source_record import Answer, SourceReading, Unreadable, Validators
from tests.settings import TECHNOLOGY

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SUMMARY = "A plant reuses its rinse water and so needs half as much from the river."


@dataclass
class Canned:
    """One answer."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: Callable[[], None] | None = None  #: called between bytes of a body sent one by one
    promised: int | None = None  #: the Content-Length said, if another than the body's

    @property
    def sent(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


class Site:
    """A server on loopback; what is not there is 404."""

    def __init__(self) -> None:
        self.pages: dict[str, Canned] = {}  #: by path, or by path with query
        self.asked: list[tuple[str, dict[str, str]]] = []  #: path with query, headers
        self.stopping = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                try:
                    site.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        canned = self.pages.get(handler.path) or self.pages.get(handler.path.partition("?")[0])
        canned = canned or Canned(status=404)
        etag = canned.headers.get("ETag")
        if etag and handler.headers.get("If-None-Match") == etag:
            canned = Canned(status=304, headers={"ETag": etag})
        handler.send_response(canned.status)
        for name, value in canned.headers.items():
            handler.send_header(name, value)
        length = len(canned.sent) if canned.promised is None else canned.promised
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if canned.drip is None:
            handler.wfile.write(canned.sent)
        else:
            for byte in canned.sent:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                canned.drip()

    def serve(self, path: str, body: bytes | str = b"", **more: Any) -> str:
        """Put a page up; return its address."""
        self.pages[path] = Canned(body, **more)
        return self.url + path

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        return self.serve(path, status=status, headers={"Location": to})


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield site
    site.stopping.set()
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def reader() -> HttpSourceReader:
    limits = FetchLimits(allow_hosts=("127.0.0.1",), largest_bytes=200_000, seconds=5)
    return HttpSourceReader(Fetcher(limits))


def feed(url: str, slug: str = "wire", **more: Any) -> PolledSource:
    """Return a feed whose stories are verified."""
    more.setdefault("defaults", FieldDefaults(verification=Verification.VERIFIED))
    return PolledSource(slug=slug, kind=SourceKind.FEED, url=url, **more)


def wordpress(url: str, **more: Any) -> PolledSource:
    return PolledSource(slug="hub", kind=SourceKind.WORDPRESS, url=url, **more)


def ask(
    reader: HttpSourceReader,
    source: PolledSource,
    validators: Validators | None = None,
    since: datetime = LONG_AGO,
) -> Answer:
    return reader.read(TECHNOLOGY, source, validators or Validators(), since)


def read(
    reader: HttpSourceReader, source: PolledSource, since: datetime = LONG_AGO
) -> SourceReading:
    """Read a source that must be readable."""
    answer = ask(reader, source, since=since)
    assert isinstance(answer, SourceReading), answer
    return answer


def trouble(reader: HttpSourceReader, source: PolledSource) -> str:
    """Return why a source cannot be read, which it must not be."""
    answer = ask(reader, source)
    assert isinstance(answer, Unreadable), answer
    return answer.reason


def rss_item(number: int = 1, **fields: str) -> str:
    """Return an RSS item; an empty field is left out."""
    said = {
        "guid": f"story-{number}",
        "title": f"Foundry number {number} halves the water it needs",
        "link": f"https://wire.example.org/{number}",
        "description": SUMMARY,
        "category": "chips",
        "pubDate": "Mon, 23 Nov 2026 08:00:00 GMT",
    } | fields
    return f"<item>{''.join(f'<{k}>{v}</{k}>' for k, v in said.items() if v)}</item>"


def rss(*items: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:brief="urn:example:brief" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>Example Wire</title>{''.join(items)}</channel></rss>"
    )


def post(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a WordPress post as its REST API gives it."""
    return {
        "id": number,
        "date_gmt": "2026-11-23T08:00:00",
        "modified_gmt": "2026-11-23T08:30:00",
        "link": f"https://hub.example.com/{number}",
        "title": {"rendered": f"Foundry number {number} halves the water it needs"},
        "excerpt": {"rendered": f"<p>{SUMMARY}</p>\n"},
        "content": {
            "rendered": f"<p>{SUMMARY}</p>\n<p>It says <a href='https://e.example/'>so</a>.</p>"
        },
        "categories": [7],
        "acf": {
            "verification": "Partially Verified",
            "importance": "H",
            "minutes": 4,
            "source": "Example Wire",
            "source_url": f"https://wire.example.org/{number}",
            "why": "Water is scarce.",
        },
        "_embedded": {
            "wp:term": [
                [{"taxonomy": "category", "slug": "chips", "name": "Chips"}],
                [{"taxonomy": "post_tag", "slug": "water", "name": "Water"}],
            ]
        },
    } | fields


def posts(*given: Any) -> str:
    return json.dumps(list(given))


def gzipped(body: str | bytes) -> bytes:
    return gzip.compress(body.encode() if isinstance(body, str) else body, mtime=0)
