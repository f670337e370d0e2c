"""One-click unsubscribes (RFC 8058), as mail providers post them: over open connections."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psutil
from sqlalchemy import Engine, text

from subscribers.model import Purpose
from subscribers.tokens import make_token
from tests.bench.installation import Installation
from tests.bench.intake import await_web
from tests.bench.measure import stopwatch
from tests.ports import free_port

_CONNECTIONS = 16
BODY = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HEAD = (
    "POST /u/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {size}\r\n\r\n"
)
_READERS = "SELECT id, link_key FROM subscription WHERE status = 'active' ORDER BY id LIMIT :count"
_UNSUBSCRIBED = "SELECT count(*) FROM consent WHERE act = 'withdrawn'"


@dataclass(frozen=True)
class UnsubscribeTimes:
    """Unsubscribes, and what they took."""

    unsubscribes: int
    seconds: float
    cpu: float  #: seconds of the server's process


def measure_unsubscribes(
    installation: Installation, database: str, *, unsubscribes: int
) -> UnsubscribeTimes:
    """Post so many unsubscribes, each another reader's."""
    with installation.container(database) as container:
        requests = [_request(*row) for row in readers(container.engine, unsubscribes)]
        before = _count_unsubscribed(container.engine)
        with served(installation, database) as (port, process):
            worked = sum(process.cpu_times()[:2])
            shares = [requests[start::_CONNECTIONS] for start in range(_CONNECTIONS)]
            with ThreadPoolExecutor(_CONNECTIONS) as pool, stopwatch() as leaving:
                answered = sum(pool.map(lambda share: _post(port, share), shares))
            worked = sum(process.cpu_times()[:2]) - worked
        assert answered == len(requests)
        assert _count_unsubscribed(container.engine) - before == len(requests), (
            "an unsubscribe was not recorded"
        )
    return UnsubscribeTimes(len(requests), leaving.seconds, worked)


def readers(engine: Engine, count: int) -> Sequence[tuple[int, bytes]]:
    """Return subscriptions that are active, each with its key."""
    with engine.begin() as connection:
        rows = connection.execute(text(_READERS), {"count": count})
        return [(row.id, bytes(row.link_key)) for row in rows]


def _count_unsubscribed(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.execute(text(_UNSUBSCRIBED)).scalar_one()


def _request(subscription_id: int, link_key: bytes) -> bytes:
    token = make_token(Purpose.UNSUBSCRIBE, subscription_id, link_key)
    return _HEAD.format(token=token, size=len(BODY)).encode() + BODY


@contextmanager
def served(installation: Installation, database: str) -> Iterator[tuple[int, psutil.Process]]:
    """Serve the web pages; yield the port and the process."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.web", str(port)]
    with subprocess.Popen(command, env=installation.environ(database)) as process:
        try:
            await_web(port)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def _post(port: int, requests: list[bytes]) -> int:
    """Post one after the other over one connection; return how many were answered with 200."""
    answered = 0
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            connection.sendall(request)
            answered += _answer(connection).startswith(b"HTTP/1.1 200 ")
    return answered


def _answer(connection: socket.socket) -> bytes:
    """Read one answer to its end."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    size = int(received[:end].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(received) < end + 4 + size:
        received += _more(connection)
    return received


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise ConnectionError("the connection was closed")
    return part
