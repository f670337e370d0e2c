"""Jobs on the real queue: asked for in bulk, each batch once, whoever asks."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from newsletter.adapters.jobs import JobQueue

pytestmark = pytest.mark.postgres

LATER = datetime(2100, 1, 1, tzinfo=UTC)

#: The job that runs is a dead worker's.
DEAD = """
    WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)
                  VALUES (now() - interval '1 h') RETURNING id)
    UPDATE procrastinate_jobs SET worker_id = dead.id FROM dead WHERE status = 'doing'
"""


def waiting(engine: Engine) -> list[int]:
    with engine.begin() as connection:
        found = connection.execute(
            text("""SELECT CAST(jsonb_array_elements(args -> 'batch_ids') AS bigint)
                      FROM procrastinate_jobs ORDER BY 1""")
        )
        return list(found.scalars())


@pytest.fixture
def queue(engine: Engine):
    queue = JobQueue(engine, concurrency=2)
    yield queue
    queue.close()


def test_each_batch_gets_one_job_however_often_it_is_asked_for(engine: Engine, queue: JobQueue):
    queue.enqueue(range(1, 1203))
    queue.enqueue(range(600, 1210))

    assert waiting(engine) == list(range(1, 1210))


def test_a_job_that_another_process_asked_for_in_between_costs_its_neighbours_nothing(
    engine: Engine, queue: JobQueue
):
    other = JobQueue(engine, concurrency=1)
    defer = queue._defer

    def late(jobs):
        other.enqueue([7])
        queue._defer = defer
        defer(jobs)

    queue._defer = late
    queue.enqueue(range(1, 20))
    other.close()

    assert waiting(engine) == list(range(1, 20))


def test_a_worker_sends_every_batch_and_ends_when_none_is_waiting(engine: Engine, queue: JobQueue):
    sent: list[int] = []
    queue.on_batches(sent.extend)
    queue.enqueue(range(1, 8))
    queue.enqueue([99], at=LATER)

    queue.work(until_empty=True)

    assert sorted(sent) == list(range(1, 8))
    assert waiting(engine) == [99]


def test_a_worker_waits_for_moments_only_and_not_once_it_is_to_stop(queue: JobQueue):
    assert queue.wait(-1)
    assert queue.wait(0.01)
    assert not queue.wait(3600)
    queue.stop()
    assert not queue.wait(5)


def test_what_a_living_worker_has_in_a_job_gets_no_second_one(engine: Engine, queue: JobQueue):
    begun, ended = threading.Event(), threading.Event()

    def send(batch_ids: Iterable[int]) -> None:
        assert list(batch_ids) == [1, 2]
        begun.set()
        assert ended.wait(20)

    queue.on_batches(send)
    queue._open_once()
    queue._defer([queue._job([1, 2], None)])
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(queue.work, until_empty=True)
        try:
            assert begun.wait(20)
            queue.enqueue([1, 2, 3], at=LATER, unless_running=True)
            assert waiting(engine) == [1, 2, 3]  # the one that runs, and one job for the third

            queue.enqueue([2], at=LATER)  # the job itself may have to try one of them again
            assert waiting(engine) == [1, 2, 2, 3]

            with engine.begin() as connection:  # as if it had died
                connection.execute(text(DEAD))
            queue.enqueue([1, 2, 3], at=LATER, unless_running=True)
            assert waiting(engine) == [1, 1, 2, 2, 3]
        finally:
            ended.set()
        working.result(20)
