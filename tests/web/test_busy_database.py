"""A lock held by somebody, or a database that hangs: each duty goes on by itself."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from pydantic import SecretStr

from subscribers.model import SubscriptionStatus
from tests.container import TestContainer
from tests.fakes import FakeClock, FakeMailer, FakeQueue
from tests.settings import settings_for
from tests.web.conftest import choices_path, leave_path
from tests.web.proxy import Proxy

pytestmark = pytest.mark.postgres

LEASE = timedelta(minutes=3)
READERS = [f"reader-{n}@example.com" for n in range(40)]
#: By itself httpx gives up after five seconds; a machine that runs the whole suite may be slower.
get, post = partial(httpx.get, timeout=60), partial(httpx.post, timeout=60)
CHOICES = {"topic": "chips", "name": "Another Name", "frequency": "daily", "zone": "Europe/Paris"}


def opened(url: str) -> TestContainer:
    """A container as `serve` has it: each duty with its own connections."""
    settings = settings_for(environment={"database_url": SecretStr(url)})
    return TestContainer(settings, clock=FakeClock(), mailer=FakeMailer(), queue=FakeQueue())


@pytest.fixture
def container(database_url: str, tmp_path: Path) -> Iterator[TestContainer]:
    made = opened(database_url)
    made.receive("chips")
    made.subscribe(tmp_path, dict.fromkeys(READERS, "chips;policy"))
    yield made
    made.close()


@contextmanager
def serving(container: TestContainer) -> Iterator[str]:
    config = uvicorn.Config(container.app, log_level="warning", timeout_graceful_shutdown=1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def url(container: TestContainer) -> Iterator[str]:
    with serving(container) as url:
        yield url


@contextmanager
def held(database_url: str, statement: str) -> Iterator[None]:
    """Hold what a statement locks, as somebody at a prompt would."""
    with psycopg.connect(database_url) as connection:
        connection.execute(statement)  # type: ignore[arg-type]
        yield
        connection.rollback()


def timed(ask: Callable[[], httpx.Response]) -> tuple[float, httpx.Response]:
    began = time.monotonic()
    answer = ask()
    return time.monotonic() - began, answer


def quickest(ask: Callable[[], httpx.Response], times: int = 4) -> tuple[float, int]:
    """Return the shortest time of some, and the last status: the machine may be busy besides."""
    answers = [timed(ask) for _ in range(times)]
    return min(seconds for seconds, _ in answers), answers[-1][1].status_code


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came true"


def readers(container: TestContainer) -> list[Any]:
    return [container.subscriptions.by_email(one)[0] for one in READERS]


def stored_status(container: TestContainer, subscription_id: int) -> str:
    [(found,)] = container.query(
        "SELECT status FROM subscription WHERE id = :id", id=subscription_id
    )
    return found


def acts_of(container: TestContainer, reader: Any) -> list[str]:
    query = "SELECT act FROM consent WHERE subscriber_id = :id ORDER BY id"
    return [act for (act,) in container.query(query, id=reader.subscriber_id)]


def test_saved_pages_that_wait_for_a_lock_hold_up_no_unsubscribe(
    container: TestContainer, database_url: str, url: str
) -> None:
    everybody = readers(container)
    lock = "LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE"
    with (
        held(database_url, lock),
        ThreadPoolExecutor(16) as pool,
        httpx.Client(timeout=30) as client,
    ):
        saves = [
            pool.submit(httpx.post, url + choices_path(one), data=CHOICES, timeout=30)
            for one in everybody[:16]
        ]
        until(lambda: waiting(container) >= 8)
        leave = [lambda one=one: client.post(url + leave_path(one)) for one in everybody[16:]]
        answers = [timed(ask) for ask in leave]
        assert {answer.status_code for _, answer in answers} == {200}
        assert min(seconds for seconds, _ in answers) < 1
        saved = [save.result() for save in saves]
    assert {one.status_code for one in saved} == {503}
    assert {one.headers["retry-after"] for one in saved} == {"5"}
    assert "Try again in a moment" in saved[0].text
    assert {stored_status(container, one.id) for one in everybody[16:]} == {"ended"}


def waiting(container: TestContainer) -> int:
    [(found,)] = container.query(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return found


def test_an_unsubscribe_of_a_locked_row_is_in_force_at_once_and_applied_later(
    container: TestContainer, database_url: str, url: str
) -> None:
    reader, other = readers(container)[:2]
    lock = f"SELECT FROM subscription WHERE id = {reader.id} FOR UPDATE"
    with held(database_url, lock):
        answer = post(url + leave_path(reader))
        assert answer.status_code == 200  # although the lock is still held
        assert "You have unsubscribed." in answer.text
        assert "You have unsubscribed." in get(url + leave_path(reader)).text
        assert container.subscriptions.by_id(reader.id).status is SubscriptionStatus.ENDED
        issue = container.plan_issue()
        assert container.subscriptions.apply_pending() == 0  # and it does not wait
        assert stored_status(container, reader.id) == "active"
    why = container.query(
        "SELECT first + unnest(offsets), reason FROM exclusion WHERE issue_id = :id", id=issue.id
    )
    assert why == [(reader.subscriber_id, "ended")]
    assert container.subscriptions.apply_pending() == 1
    assert stored_status(container, reader.id) == "ended"
    acts = container.query(
        "SELECT act, source FROM consent WHERE subscriber_id = :id", id=reader.subscriber_id
    )
    assert acts == [("withdrawn", "unsubscribe link")]
    assert stored_status(container, other.id) == "active"


def test_a_pending_unsubscribe_counts_between_planning_and_sending(
    container: TestContainer, database_url: str, url: str
) -> None:
    container.plan_issue()
    reader = readers(container)[0]
    with held(database_url, f"SELECT FROM subscription WHERE id = {reader.id} FOR UPDATE"):
        post(url + leave_path(reader))
        claimed = set()
        for batch_id, _ in container.deliveries.waiting():
            claim = container.deliveries.claim(
                batch_id, attempt_id=f"a{batch_id}", lease=LEASE, now=container.clock.now()
            )
            claimed |= {one.email for one in claim.recipients}  # type: ignore[union-attr]
    assert reader.email not in claimed
    assert len(claimed) == len(READERS) - 1


def test_who_comes_back_after_a_pending_unsubscribe_stays(
    container: TestContainer, database_url: str, url: str
) -> None:
    reader = readers(container)[0]
    with held(database_url, f"SELECT FROM subscription WHERE id = {reader.id} FOR UPDATE"):
        post(url + leave_path(reader))
    post(url + leave_path(reader) + "/back")
    assert container.subscriptions.apply_pending() == 0
    assert stored_status(container, reader.id) == "active"
    acts = container.query(
        "SELECT act FROM consent WHERE subscriber_id = :id ORDER BY id", id=reader.subscriber_id
    )
    assert acts == [("withdrawn",), ("resumed",)]


def test_a_mail_that_unsubscribes_is_not_lost_either(
    container: TestContainer, database_url: str, url: str
) -> None:
    reader = readers(container)[0]
    token = leave_path(reader).rpartition("/")[2]
    with held(database_url, f"SELECT FROM subscription WHERE id = {reader.id} FOR UPDATE"):
        fields = {"to": f"unsubscribe+{token}@example.com", "subject": f"unsubscribe {token}"}
        answer = post(f"{url}/webhooks/inbound", files={k: (None, v) for k, v in fields.items()})
        assert answer.status_code == 200
        assert container.subscriptions.by_id(reader.id).status is SubscriptionStatus.ENDED


def test_alive_is_answered_while_every_thread_is_taken(
    container: TestContainer, database_url: str, url: str
) -> None:
    lock = "LOCK TABLE subscription IN ACCESS EXCLUSIVE MODE"
    everybody = readers(container)
    with (
        held(database_url, lock),
        ThreadPoolExecutor(40) as pool,
        httpx.Client(timeout=30) as client,
    ):
        for one in everybody:
            pool.submit(httpx.get, url + choices_path(one), timeout=60)
        until(lambda: waiting(container) >= 8)
        seconds, status = quickest(lambda: client.get(f"{url}/healthz"))
        assert (status, seconds < 0.5) == (200, True)
        until(lambda: client.get(f"{url}/readyz").json()["database"])
        # Nobody can even read whose link it is: the mail program is asked to come again.
        assert post(url + leave_path(everybody[0])).status_code == 503


def test_ready_answers_in_two_seconds_while_the_database_hangs(
    container: TestContainer, database_url: str
) -> None:
    reader = readers(container)[0]
    with Proxy(database_url) as proxy:
        behind = opened(proxy.url)
        with serving(behind) as url:
            assert get(f"{url}/readyz").json()["database"]
            assert get(url + choices_path(reader)).status_code == 200
            proxy.hang()
            with httpx.Client(timeout=30) as client:  # however many threads hang already
                seconds, status = quickest(lambda: client.get(f"{url}/readyz"))
                assert (status, seconds < 2) == (503, True)
            answer = post(url + leave_path(reader))
            assert answer.status_code == 503  # the mail program comes again
            proxy.forward()
            until(lambda: get(f"{url}/readyz").json()["database"])
            assert post(url + leave_path(reader)).status_code == 200
        behind.close()
