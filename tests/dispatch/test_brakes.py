"""Pausing, cancelling, the fuse, the pace and freshness, on real PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import NotYet, Unknown
from newsletter.core.sending_limits import Fuse, Pace
from newsletter.core.stored import IssueState
from newsletter.errors import NotAllowed
from newsletter.stores.deliveries import Deliveries
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(12)}


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, READERS)
    return house


def sums(house: TestHouse):
    return house.inquiry.account(house.issues.find("technology", TODAY)).sums


def send_some(house: TestHouse, batches: int) -> None:
    house.send()
    for batch_id in list(house.queue.jobs)[:batches]:
        house.queue.jobs.pop(batch_id)
        house.dispatch.send_batches([batch_id])


def test_nothing_leaves_while_an_issue_is_paused_and_the_rest_does_after(house):
    send_some(house, 2)
    filed = house.issues.find("technology", TODAY)
    paused = house.braking.pause(filed, actor="test", because="a wrong figure")

    house.queue.work(until_empty=True)

    assert (paused.state, paused.reason) == (IssueState.PAUSED, "a wrong figure (test)")
    assert len(house.mailer.asked) == 2
    house.braking.resume(paused, actor="test")
    house.dispatch.recover()
    house.queue.work(until_empty=True)
    assert sorted(house.mailer.addresses) == sorted(READERS)


def test_a_cancelled_issue_sends_nothing_more_and_its_sums_add_up(house):
    send_some(house, 1)
    claim = house.claim_first()  # one batch is in a worker's hands
    filed = house.issues.find("technology", TODAY)
    house.braking.cancel(filed, actor="test", because="a wrong figure")

    house.dispatch._record(claim, house.mailer.send(None, None, claim))
    house.queue.work(until_empty=True)

    assert (sums(house).accepted, sums(house).skipped, sums(house).to_go) == (6, 6, 0)
    assert sums(house).add_up
    assert house.send().state is IssueState.CANCELLED
    left_out = set(READERS) - set(house.mailer.addresses)
    answer = house.inquiry.why(house.newsletter, left_out.pop(), TODAY)
    assert "cancelled before this letter left" in answer.sentence


def test_only_an_issue_on_its_way_can_be_paused_or_cancelled(house):
    filed = house.post()

    with pytest.raises(NotAllowed, match="nothing to pause"):
        house.braking.pause(filed, actor="test", because="too late")
    with pytest.raises(NotAllowed, match="nothing to cancel"):
        house.braking.cancel(filed, actor="test", because="too late")


def test_the_fuse_pauses_an_issue_whose_answers_get_lost(house):
    house.braking._fuse = Fuse(after=6, refused=1, unknown=0.4, bounced=1, complained=1)
    house.mailer.answers = [Unknown(reason="lost")] * 9
    filed = house.post()

    assert filed.state is IssueState.PAUSED
    assert "the fuse blew" in filed.reason
    assert len(house.mailer.asked) == 2  # the second loss was enough, the rest stayed
    assert sums(house).to_go == 6

    house.mailer.answers = []  # the trouble is over, a person looked, and what was lost stays lost
    house.clock.pass_time(seconds=1)
    house.braking.resume(filed, actor="test")
    house.dispatch.recover()
    house.queue.work(until_empty=True)
    assert (sums(house).unknown, sums(house).accepted) == (6, 6)


def test_the_pace_makes_every_worker_wait_its_turn(house):
    house.dispatch._deliveries = Deliveries(house.engine, Pace(per_minute=6, per_day=0, warm_up={}))
    house.send()
    [first, second, *_] = house.queue.jobs
    house.dispatch.send_batches([first])
    house.dispatch.send_batches([second])

    assert len(house.mailer.asked) == 1
    house.clock.pass_time(seconds=31)  # three recipients take half a minute
    house.dispatch.send_batches([second])
    assert len(house.mailer.asked) == 2


def test_a_days_limit_leaves_the_rest_for_tomorrow(house):
    limited = Deliveries(house.engine, Pace(per_minute=0, per_day=7, warm_up={}))
    house.dispatch._deliveries = limited
    house.send()
    for batch_id, _ in limited.waiting():
        house.dispatch.send_batches([batch_id])

    [(batch_id, _), *_] = limited.waiting()
    held = limited.claim(
        batch_id, attempt_id="x", lease=timedelta(minutes=1), now=house.clock.now()
    )

    assert len(house.mailer.addresses) == 6
    assert isinstance(held, NotYet)
    assert held.until == (house.clock.now() + timedelta(days=1)).replace(hour=0, minute=0)


def test_what_was_not_sent_while_fresh_is_stale_and_never_sent_late(house):
    send_some(house, 1)
    house.clock.pass_time(hours=house.newsletter.timetable.catch_up_hours, minutes=1)

    house.queue.work(until_empty=True)
    house.dispatch.recover()
    house.post()

    assert len(house.mailer.asked) == 1
    assert (sums(house).accepted, sums(house).skipped, sums(house).to_go) == (3, 9, 0)
    filed = house.issues.find("technology", TODAY)
    assert (filed.state, filed.reason[:6]) == (IssueState.CANCELLED, "stale:")
    assert sums(house).add_up
