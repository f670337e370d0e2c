"""How a worker begins."""

import gc
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import psycopg
import pytest

from newsletter.cli import processes


class Queue:
    """A queue on which somebody works until it is stopped."""

    def __init__(self) -> None:
        self.begun, self.stopped = threading.Event(), threading.Event()

    def work(self, *, until_empty: bool) -> None:
        assert not until_empty
        self.begun.set()
        self.stopped.wait(60)

    def stop(self) -> None:
        self.stopped.set()


class Recovery:
    """What recovers just as the database dies."""

    def recover(self) -> None:
        raise psycopg.OperationalError("the connection is lost")


def work_on(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    container = SimpleNamespace(
        recovery=Recovery(), sending=SimpleNamespace(queue=queue), queue=queue
    )
    monkeypatch.setattr(processes, "container", lambda: container)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_worker_stays_although_the_database_dies_as_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue, ended = Queue(), threading.Event()
    work_on(queue, monkeypatch)

    with processes._working(on_end=ended.set):
        assert queue.begun.wait(60)
        assert not ended.is_set()


def test_the_collector_looks_no_more_at_what_a_worker_began_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = Queue()
    work_on(queue, monkeypatch)

    with processes._working(on_end=queue.stop):
        assert gc.get_freeze_count() > 10_000
