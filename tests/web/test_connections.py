"""Clients that do not finish what they began: each is given up in time, and harms nobody else."""

import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI

from newsletter.web.connections import ConnectionLimits, connections_within
from subscribers.model import SubscriptionStatus
from tests.web.conftest import choices_path, leave_path, now_of
from tests.web.test_busy_database import get, post

pytestmark = pytest.mark.postgres

PATIENT, MOST = 60, 8
HALF_A_HEAD = b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_A_BODY = (
    b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname="
)


@contextmanager
def serving(app: FastAPI, *, header: float = PATIENT, body: float = PATIENT) -> Iterator[int]:
    """The application as `newsletter serve` runs it; its port."""
    http = connections_within(ConnectionLimits(header, body, MOST))
    server = uvicorn.Server(uvicorn.Config(app, http=http, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            assert not thread.is_alive(), "a slow client holds up the end"


def said_to(port: int, sent: bytes) -> bytes:
    """Send this, and wait until the server closes the connection; return what it answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as client:
        client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_half_sent_request_is_answered_408_in_time(app, caplog):
    with serving(app, header=0.2, body=0.2) as port:
        assert said_to(port, HALF_A_HEAD).startswith(b"HTTP/1.1 408 ")
        assert said_to(port, HALF_A_BODY % b"/webhooks/sendgrid").startswith(b"HTTP/1.1 408 ")
        assert said_to(port, b"") == b""

    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_what_was_answered_before_it_was_whole_gets_no_second_answer(app):
    with serving(app, body=0.2) as port:
        answer = said_to(port, HALF_A_BODY % b"/webhooks/inbound")

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_half_sent_form_changes_nothing(app, container, reader):
    before = now_of(container)
    with serving(app, body=0.2) as port:
        answer = said_to(port, HALF_A_BODY % choices_path(reader).encode())

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert now_of(container) == before


def test_each_request_of_a_connection_has_its_own_time(app):
    with serving(app, header=0.2) as port:
        answer = said_to(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + HALF_A_HEAD)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_one_byte_at_a_time_wins_no_more_time(app):
    with (
        serving(app, header=0.3) as port,
        socket.create_connection(("127.0.0.1", port), timeout=0.05) as client,
    ):
        client.sendall(HALF_A_HEAD)
        answer = dripped(client)

    assert answer.startswith(b"HTTP/1.1 408 ")


def dripped(client: socket.socket) -> bytes:
    for _ in range(200):  # 10 seconds
        client.sendall(b"x")
        try:
            return client.recv(65536)
        except TimeoutError:
            continue
    pytest.fail("the connection stays open")


def test_one_click_acts_although_its_body_never_comes(app, container, reader):
    with serving(app, body=0.2) as port:
        answer = said_to(port, HALF_A_BODY % leave_path(reader).encode())

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert now_of(container).status is SubscriptionStatus.ENDED


@pytest.mark.parametrize("half", [b"", HALF_A_HEAD, HALF_A_BODY % b"/webhooks/sendgrid"])
def test_many_half_sent_requests_keep_whole_ones_waiting_for_nothing(app, container, reader, half):
    """The time limits are long here, so that nothing but the number can help."""
    with serving(app) as port, ExitStack() as held:
        slow = [
            held.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(150)
        ]
        for client in slow[-MOST:]:
            client.sendall(half)
        url = f"http://127.0.0.1:{port}"

        assert get(f"{url}/healthz").status_code == 200
        assert post(url + leave_path(reader)).status_code == 200
        assert get(url + choices_path(reader)).status_code == 200
        assert still_open(slow) <= MOST

    assert now_of(container).status is SubscriptionStatus.ENDED


def still_open(clients: list[socket.socket]) -> int:
    """Count those that the server did not close."""
    count = 0
    for client in clients:
        client.setblocking(False)
        try:
            count += client.recv(1, socket.MSG_PEEK) != b"" and client.recv(3) != b"HTT"
        except BlockingIOError:
            count += 1
        except ConnectionResetError:
            continue
    return count


def test_where_everybody_is_being_answered_pages_wait_and_one_click_does_not(
    app, container, reader
):
    go_on, begun = threading.Event(), threading.Semaphore(0)

    @app.get("/this/is/busy/{number}")
    async def busy(number: int) -> int:
        begun.release()
        await to_thread.run_sync(go_on.wait, 20, limiter=CapacityLimiter(1))
        return number

    with serving(app) as port, ThreadPoolExecutor(MOST) as pool:
        url = f"http://127.0.0.1:{port}"
        working = [
            pool.submit(httpx.get, f"{url}/this/is/busy/{n}", timeout=20) for n in range(MOST)
        ]
        try:
            assert all(begun.acquire(timeout=10) for _ in working)

            refused = get(url + choices_path(reader))
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
            assert get(f"{url}/healthz").status_code == 200
            assert post(url + leave_path(reader)).status_code == 200
        finally:
            go_on.set()
        assert [one.result().status_code for one in working] == [200] * MOST

    assert now_of(container).status is SubscriptionStatus.ENDED
