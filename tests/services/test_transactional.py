"""Transactional emails leave several at once, confirmations first, each of them once."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Accepted, Outcome
from newsletter.core.signup import SignUpForm
from newsletter.core.transactional import TransactionalKind, TransactionalMessage
from subscribers.signup.model import ConsentProof
from tests.container import TestContainer, open_container

pytestmark = pytest.mark.postgres

_PATIENCE = 20  #: seconds until a test fails


class HeldMailer:
    """A mailer whose answers are held back until they are released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._released: set[str] = set()
        self._all = False
        self._changed = threading.Condition()

    def send_message(self, message: TransactionalMessage) -> Outcome:
        with self._changed:
            self.asked.append(message.email)
            self._changed.notify_all()
            assert self._changed.wait_for(
                lambda: self._all or message.email in self._released, _PATIENCE
            )
        return Accepted(message_id="one")

    def await_asked(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, _PATIENCE)

    def release(self, *emails: str) -> None:
        """Answer these requests, or all of them, now and later."""
        with self._changed:
            self._all, self._released = not emails, self._released | {*emails}
            self._changed.notify_all()


@pytest.fixture
def mailer() -> HeldMailer:
    return HeldMailer()


@pytest.fixture
def container(engine: Engine, mailer: HeldMailer) -> TestContainer:
    container = open_container(engine)
    container.transactional_mailer = mailer
    return container


@pytest.fixture
def running(container: TestContainer, mailer: HeldMailer) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool
        mailer.release()


def sign_up(container: TestContainer, *emails: str) -> None:
    for email in emails:
        typed = SignUpForm(email=email, topics=("chips",))
        container.signing_up.request(container.newsletter, typed, ConsentProof(via="test"))


def states(container: TestContainer) -> dict[str, int]:
    found = container.query("SELECT state, count(*) FROM transactional_email GROUP BY state")
    return dict(found)


def test_as_many_as_may_be_are_under_way_at_once_and_each_is_sent_once(
    container: TestContainer, mailer: HeldMailer, running: ThreadPoolExecutor
):
    readers = [f"a{number}@example.com" for number in range(11)]
    sign_up(container, *readers)

    run: Future[int] = running.submit(container.transactional.send_waiting)
    mailer.await_asked(8)

    assert sorted(mailer.asked) == sorted(readers[:8])  # the oldest
    assert states(container) == {"claimed": 8, "waiting": 3}

    mailer.release()
    assert run.result(_PATIENCE) == 11
    assert sorted(mailer.asked) == sorted(readers)
    assert states(container) == {"accepted": 11}


def test_whoever_comes_meanwhile_does_not_wait_for_a_slow_answer(
    container: TestContainer, mailer: HeldMailer, running: ThreadPoolExecutor
):
    sign_up(container, "slow@example.com")
    run: Future[int] = running.submit(container.transactional.send_waiting)
    mailer.await_asked(1)

    sign_up(container, "late@example.com")
    mailer.await_asked(2)
    mailer.release("late@example.com")

    assert not run.done()
    mailer.release()
    assert run.result(_PATIENCE) == 2


def test_two_processes_at_once_send_each_email_once(container: TestContainer, mailer: HeldMailer):
    readers = [f"a{number}@example.com" for number in range(20)]
    sign_up(container, *readers)
    other = container.restarted()
    other.transactional_mailer = mailer

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(one.transactional.send_waiting) for one in (container, other)]
        mailer.await_asked(16)
        mailer.release()

    assert sum(run.result() for run in runs) == 20
    assert sorted(mailer.asked) == sorted(readers)


def test_one_that_dies_leaves_the_others_recorded_and_is_not_sent_again(
    container: TestContainer, mailer: HeldMailer, running: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    sign_up(container, "a0@example.com", "a1@example.com", "a2@example.com")
    store = container.transactional.store
    record, died = store.record, threading.Event()

    def record_but_the_first(*given):
        if not died.is_set():
            died.set()
            raise SystemExit
        record(*given)

    monkeypatch.setattr(store, "record", record_but_the_first)
    run: Future[int] = running.submit(container.transactional.send_waiting)
    mailer.await_asked(3)
    mailer.release()
    with pytest.raises(SystemExit):
        run.result(_PATIENCE)
    assert states(container) == {"accepted": 2, "claimed": 1}

    container.clock.pass_time(minutes=4)
    container.transactional.send_waiting()
    assert states(container) == {"accepted": 2, "unknown": 1}
    assert len(mailer.asked) == 3


def test_confirmations_come_first_and_then_the_others_by_age(container: TestContainer):
    kinds = TransactionalKind
    came = [
        kinds.STILL_WANTED, kinds.WELCOME, kinds.CONFIRMATION, kinds.ALREADY, kinds.WELCOME,
        kinds.ADDRESS, kinds.CONFIRMATION,
    ]  # fmt: skip
    for refers, kind in enumerate(came):
        container.transactional.queue(kind, "technology", refers)

    store, lease = container.transactional.store, container.transactional.lease
    claimed = [store.claim(container.clock.now(), lease) for _ in came]

    assert [one.refers for one in claimed if one] == [2, 5, 6, 1, 3, 4, 0]
