"""What is read once while work may only read, and every time where it may write."""

import threading
from contextvars import copy_context

import pytest

from subscribers.db.read_once import read_once
from subscribers.db.read_only import read_only


class Store:
    def __init__(self) -> None:
        self.asked: list[int] = []

    @read_once
    def find(self, number: int) -> int:
        self.asked.append(number)
        if number < 0:
            raise LookupError(number)
        return number


@pytest.fixture
def store() -> Store:
    return Store()


def test_work_that_only_reads_asks_once_for_the_same(store):
    with read_only():
        assert [store.find(one) for one in (1, 2, 1)] == [1, 2, 1]
        assert Store().find(1) == 1  # another one's answer is not this one's
    assert store.asked == [1, 2]


def test_the_thread_that_answers_a_request_has_what_was_read(store):
    with read_only():
        store.find(1)
        thread = threading.Thread(target=copy_context().run, args=(store.find, 1))
        thread.start()
        thread.join()
    assert store.asked == [1]


def test_other_work_asks_each_time(store):
    store.find(1)
    with read_only():
        store.find(1)
        with read_only(False):
            store.find(1)
    with read_only():
        store.find(1)
    assert store.asked == [1, 1, 1, 1]


def test_an_error_is_not_kept(store):
    with read_only():
        for _ in range(2):
            with pytest.raises(LookupError):
                store.find(-1)
    assert store.asked == [-1, -1]
