"""A job of several batches: each asked for once, each with its own claim, lease and record."""

import json

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import Engine, text

from newsletter.adapters.jobs import JobQueue
from newsletter.adapters.sendgrid.body import Body
from newsletter.core.delivery import Accepted, Claim
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    """A house that planned three batches of three."""
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, READERS)
    house.send()
    return house


def states(house: TestHouse) -> list[str]:
    with house.engine.begin() as connection:
        return list(connection.execute(text("SELECT state FROM batch ORDER BY id")).scalars())


def test_an_acceptance_is_recorded_before_the_next_batch_is_asked_for(house):
    seen = []

    def look(claim: Claim) -> Accepted:
        seen.append(states(house))
        return Accepted(message_id="m")

    house.mailer.answers = [look] * 3
    house.dispatch.send_batches([batch_id for batch_id, _ in house.deliveries.waiting()])

    assert seen == [
        ["claimed", "planned", "planned"],
        ["accepted", "claimed", "planned"],
        ["accepted", "accepted", "claimed"],
    ]
    assert states(house) == ["accepted"] * 3


def test_what_was_accepted_is_recorded_when_the_next_batch_cannot_be_claimed(house):
    house.dispatch._new_id = lambda: "one id for two attempts"

    with pytest.raises(UniqueViolation):
        house.dispatch.send_batches([batch_id for batch_id, _ in house.deliveries.waiting()])

    assert len(house.mailer.asked) == 1
    assert states(house) == ["accepted", "planned", "planned"]


def test_a_goodbye_said_while_a_job_is_under_way_is_heard(house):
    batch_ids = [batch_id for batch_id, _ in house.deliveries.waiting()]
    left: list[str] = []

    def leave_the_next(claim: Claim) -> Accepted:
        with house.engine.begin() as connection:
            next_one = text("""SELECT email FROM delivery JOIN audience USING (subscription_id)
                                WHERE batch_id = :batch LIMIT 1""")
            left.append(connection.execute(next_one, {"batch": batch_ids[1]}).scalar_one())
        house.leave(left[0])
        return Accepted(message_id="m")

    house.mailer.answers = [leave_the_next]
    house.dispatch.send_batches(batch_ids)

    assert left[0] not in house.mailer.addresses
    sums = house.inquiry.account(house.issues.find("technology", TODAY)).sums
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
