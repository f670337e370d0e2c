"""A sink on loopback: it accepts every mail/send request as cheaply as Python can, and counts.

It speaks TLS, as SendGrid does: what a client does to trust a server is part of each request.
Nothing is parsed: the body's length is read from its header, and recipients are counted by a
search for the one key that every personalization has once.
"""

import asyncio
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.certificate import certificate_in

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_PER_RECIPIENT = b'"substitutions"'
_SCOPES = b'{"scopes": ["mail.send"]}'


@dataclass(frozen=True)
class Counts:
    """What the sink was sent."""

    requests: int
    recipients: int
    megabytes: float


@dataclass(frozen=True)
class Sink:
    """The sink as its users see it."""

    url: str

    def counts(self) -> Counts:
        """Return what arrived since the last time this was asked."""
        with urllib.request.urlopen(f"{self.url}/counts", timeout=10) as answer:
            return Counts(**json.load(answer))


@contextmanager
def sink() -> Iterator[Sink]:
    """Run the sink in a process of its own, which this one and its children trust meanwhile."""
    with tempfile.TemporaryDirectory(prefix="newsletter-sink-") as tmp:
        certificate = certificate_in(Path(tmp))
        trusted = str(_with_all_others(certificate))
        command = [sys.executable, "-m", "tests.bench.sink", str(certificate)]
        with (
            patch.dict(os.environ, SSL_CERT_FILE=trusted, REQUESTS_CA_BUNDLE=trusted),
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        ):
            assert process.stdout
            try:
                yield Sink(process.stdout.readline().strip())
            finally:
                process.terminate()


def _with_all_others(certificate: Path) -> Path:
    """Return a file of this authority beside those that this machine trusts: each is read."""
    others = ssl.create_default_context().get_ca_certs(binary_form=True)
    path = certificate.with_name("trusted.pem")
    listed = map(ssl.DER_cert_to_PEM_cert, others)
    path.write_text("".join([certificate.read_text(), *listed]))
    return path


class _Counter:
    def __init__(self) -> None:
        self.take()

    def add(self, body: bytearray) -> None:
        self._requests += 1
        self._recipients += body.count(_PER_RECIPIENT)
        self._bytes += len(body)

    def take(self) -> bytes:
        found = vars(self).copy()
        self._requests = self._recipients = self._bytes = 0
        return json.dumps(
            {
                "requests": found.get("_requests", 0),
                "recipients": found.get("_recipients", 0),
                "megabytes": found.get("_bytes", 0) / 1e6,
            }
        ).encode()


class _Connection(asyncio.Protocol):
    def __init__(self, counter: _Counter) -> None:
        self._counter = counter
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._whole_request()) is not None:
            self._answer(self._received[:end])
            del self._received[:end]

    def _whole_request(self) -> int | None:
        head = self._received.find(_HEAD_END)
        if head < 0:
            return None
        length = _LENGTH.search(self._received, 0, head)
        end = head + len(_HEAD_END) + (int(length[1]) if length else 0)
        return end if len(self._received) >= end else None

    def _answer(self, request: bytearray) -> None:
        if request.startswith(b"POST "):
            self._counter.add(request)
            head, body = b"202 Accepted\r\nX-Message-Id: bench", b""
        else:
            head = b"200 OK\r\nContent-Type: application/json"
            body = self._counter.take() if request.startswith(b"GET /counts") else _SCOPES
        self._transport.write(
            b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
        )


async def _serve(certificate: str) -> None:
    counter, loop = _Counter(), asyncio.get_running_loop()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await loop.create_server(
        lambda: _Connection(counter), "127.0.0.1", 0, backlog=256, ssl=context
    )
    print(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
