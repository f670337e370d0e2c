"""A job of several batches: each asked for once, each with its own claim, lease and record."""

import json

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import Engine, text

from newsletter.adapters.jobs import JobQueue
from newsletter.adapters.sendgrid.payload import Body
from newsletter.core.delivery import Accepted, Claim
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    """A container that planned three batches of three."""
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.plan_issue()
    return container


def states(container: TestContainer) -> list[str]:
    with container.engine.begin() as connection:
        return list(connection.execute(text("SELECT state FROM batch ORDER BY id")).scalars())


def test_an_acceptance_is_recorded_before_the_next_batch_is_asked_for(container):
    seen = []

    def look(claim: Claim) -> Accepted:
        seen.append(states(container))
        return Accepted(message_id="m")

    container.mailer.answers = [look] * 3
    container.sending.send_batches([batch_id for batch_id, _ in container.deliveries.waiting()])

    assert seen == [
        ["claimed", "planned", "planned"],
        ["accepted", "claimed", "planned"],
        ["accepted", "accepted", "claimed"],
    ]
    assert states(container) == ["accepted"] * 3


def test_what_was_accepted_is_recorded_when_the_next_batch_cannot_be_claimed(container):
    container.sending.new_id = lambda: "one id for two attempts"

    with pytest.raises(UniqueViolation):
        container.sending.send_batches([batch_id for batch_id, _ in container.deliveries.waiting()])

    assert len(container.mailer.asked) == 1
    assert states(container) == ["accepted", "planned", "planned"]


def test_an_unsubscribe_while_a_job_is_under_way_takes_effect(container):
    batch_ids = [batch_id for batch_id, _ in container.deliveries.waiting()]
    left: list[str] = []

    def leave_the_next(claim: Claim) -> Accepted:
        with container.engine.begin() as connection:
            next_one = text("""SELECT email FROM delivery JOIN audience USING (subscription_id)
                                JOIN batch ON place BETWEEN first_place AND last_place
                               WHERE batch.id = :batch LIMIT 1""")
            left.append(connection.execute(next_one, {"batch": batch_ids[1]}).scalar_one())
        container.unsubscribe(left[0])
        return Accepted(message_id="m")

    container.mailer.answers = [leave_the_next]
    container.sending.send_batches(batch_ids)

    assert left[0] not in container.mailer.addresses
    sums = container.deliveries.totals(container.issues.find("technology", TODAY).id).sums
    assert (sums.accepted, sums.skipped, sums.to_go) == (8, 1, 0)


def test_a_large_issue_has_few_jobs_and_a_small_one_has_some_for_every_worker(engine: Engine):
    queue = JobQueue(engine, concurrency=1)
    queue.enqueue(range(1, 2048))
    few = jobs(engine)
    queue.enqueue(range(3001, 3042))
    queue.close()

    assert few == 128
    assert jobs(engine) - few == 41


def jobs(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()


def test_a_worker_that_is_to_stop_leaves_the_rest_of_its_job_to_others(engine: Engine):
    queue, sent = JobQueue(engine, concurrency=1), []

    def send(batch_ids) -> None:
        for batch_id in batch_ids:
            sent.append(batch_id)
            queue.stop()

    queue.on_batches(send)
    queue.enqueue(range(1, 65))  # two batches a job
    queue.work(until_empty=True)
    other = JobQueue(engine, concurrency=1)
    other.on_batches(sent.extend)
    other.work(until_empty=True)
    queue.close()
    other.close()

    assert sent[0] == 1
    assert sorted(sent) == list(range(1, 65))


def test_a_body_says_what_it_was_made_of_and_shows_nobody():
    content = {"to": [{"email": "r1@example.com"}], "text": 'Café – "so" 日本 \x07 😀', "n": 1}
    body = Body.of(content)

    assert json.loads(body) == json.loads(json.dumps(content)) == content
    assert body.encode("utf-8") is body
    assert "example.com" not in f"{body} {body!r} {[body]}"
