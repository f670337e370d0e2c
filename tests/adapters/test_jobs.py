"""Jobs on the real queue: asked for in bulk, each batch once, whoever asks."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from newsletter.adapters.jobs import JobQueue

pytestmark = pytest.mark.postgres


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
    queue.enqueue([99], at=datetime(2100, 1, 1, tzinfo=UTC))

    queue.work(until_empty=True)

    assert sorted(sent) == list(range(1, 8))
    assert waiting(engine) == [99]
