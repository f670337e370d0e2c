"""Ways to write somebody twice that were found by thinking, and are closed."""

from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Engine, text

from newsletter.adapters.jobs import JobQueue
from newsletter.core.delivery import Accepted, Claim, Unknown, dispose
from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.core.reconciliation import Ruling, Settlement
from newsletter.core.stored import IssueState
from newsletter.scheduler import hear_silence
from newsletter.services.reconciliation import Settling
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.unknown_batches import Unknowns
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(6)}


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    """A house that planned two batches of three, and sent neither."""
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, READERS)
    house.send()
    return house


def lose(house: TestHouse) -> Claim:
    """Lose the answer about the first batch."""
    claim, lost = house.claim_first(), Unknown(reason="the line went dead")
    now = house.clock.now()
    house.deliveries.record(claim, lost, dispose(lost, claim, now), now)
    return claim


def permit_resend(engine: Engine, claim: Claim) -> None:
    assert Unknowns(engine).settle(claim.batch_id, Ruling.RESEND, "silence")


def hear_of_others(house: TestHouse) -> None:
    with house.engine.begin() as connection:
        connection.execute(
            text("""UPDATE delivery SET state = 30 FROM batch
                     WHERE batch.id = batch_id AND batch.state = 'accepted'""")
        )


def event_of(claim: Claim) -> DeliveryEvent:
    return DeliveryEvent(
        event_id="late",
        kind=EventKind.DELIVERED,
        delivery_id=claim.recipients[0].delivery_id,
        attempt_id=claim.attempt_id,
        at=datetime(2026, 11, 23, 10, tzinfo=UTC),
        reason="",
        raw={},
    )


def assert_written_to_once(house: TestHouse, claim: Claim) -> None:
    """Let the rest leave; whoever stood in the lost request is not asked for again."""
    house.queue.work(until_empty=True)
    assert not {r.email for r in claim.recipients} & set(house.mailer.addresses)
    assert_all_accepted(house)


def assert_all_accepted(house: TestHouse) -> None:
    filed = house.publishing.issue(house.newsletter, TODAY)
    assert filed.state is IssueState.SENT
    assert house.inquiry.account(filed).sums.accepted == len(READERS)


def test_an_event_that_comes_between_the_permission_and_the_resend_prevents_it(house, engine):
    claim = lose(house)
    permit_resend(engine, claim)
    house.events.keep([event_of(claim)], house.clock.now())
    assert_written_to_once(house, claim)


def test_an_event_that_prevents_the_last_resend_ends_the_issue(house, engine):
    claim = lose(house)
    house.queue.work(until_empty=True)
    permit_resend(engine, claim)
    assert house.publishing.issue(house.newsletter, TODAY).state is IssueState.SENDING
    house.events.keep([event_of(claim)], house.clock.now())
    assert_all_accepted(house)


def test_an_answer_that_comes_between_the_permission_and_the_resend_prevents_it(house, engine):
    claim = house.claim_first()
    house.clock.pass_time(minutes=4)
    house.deliveries.expire_leases(house.clock.now())
    permit_resend(engine, claim)
    accepted, now = Accepted(message_id="late"), house.clock.now()
    house.deliveries.record(claim, accepted, dispose(accepted, claim, now), now)
    assert_written_to_once(house, claim)


def test_what_was_posted_while_nobody_listened_is_waited_for_before_silence_counts(house, engine):
    claim = lose(house)
    house.queue.work(until_empty=True)
    hear_of_others(house)
    house.clock.pass_time(minutes=30)  # the service was down; SendGrid holds the events

    restarted = open_house(engine)
    restarted.clock.time = house.clock.now()
    restarted.settling.listen()
    restarted.dispatch.recover()
    restarted.queue.work(until_empty=True)
    assert restarted.mailer.asked == []

    restarted.events.keep([event_of(claim)], restarted.clock.now())
    restarted.clock.pass_time(minutes=16)
    restarted.dispatch.recover()
    restarted.queue.work(until_empty=True)
    assert restarted.mailer.asked == []
    assert_all_accepted(restarted)


def test_silence_counts_once_it_was_listened_to_for_a_quiet_period(house, engine):
    claim = lose(house)
    house.queue.work(until_empty=True)
    hear_of_others(house)
    restarted = open_house(engine)
    restarted.dispatch._new_id = lambda: "again"
    restarted.clock.pass_time(minutes=16)
    restarted.dispatch.recover()
    restarted.queue.work(until_empty=True)
    assert restarted.mailer.addresses == [one.email for one in claim.recipients]


def test_a_process_knows_no_silence_before_it_has_heard_events_for_a_quiet_period(house, engine):
    lose(house)
    house.queue.work(until_empty=True)
    hear_of_others(house)
    house.clock.pass_time(minutes=16)
    deaf = Settling(
        unknowns=Unknowns(engine),
        decisions=DecisionLog(engine, house.clock),
        clock=house.clock,
        quiet=timedelta(minutes=15),
    )
    assert [found for _, found in deaf.listed()] == [Settlement.RESEND]
    assert deaf.by_silence() == 0

    scheduler = BackgroundScheduler()
    hear_silence(scheduler, deaf)  # as `serve` does, which opens the webhook
    job = scheduler.get_job("silence")
    job.func()
    assert [found for _, found in deaf.listed()] == [Settlement.RESEND]
    house.clock.pass_time(minutes=16)
    job.func()
    assert deaf.listed() == ()


def test_a_worker_outlives_a_database_that_goes_away(engine, monkeypatch):
    queue, ends = JobQueue(engine, concurrency=1), [ConnectorException(), None]

    async def work(*, until_empty: bool) -> None:
        if end := ends.pop(0):
            raise end

    monkeypatch.setattr(queue, "_work", work)
    monkeypatch.setattr("newsletter.adapters.jobs._REST", 0)
    queue.work(until_empty=False)
    assert ends == []
