"""Ways to send somebody an issue twice that were found by analysis, and are prevented."""

from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Engine, text

from newsletter.adapters.jobs import JobQueue
from newsletter.core.delivery import Accepted, Claim, Unknown, dispose
from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.core.reconciliation import Reconciliation, Resolution
from newsletter.core.stored import IssueStatus
from newsletter.scheduler import reconcile_by_events
from newsletter.services.reconciliation import Reconciling
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.unknown_batches import UnknownBatchStore
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(6)}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    """A service that planned two batches of three, and sent neither."""
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.plan_issue()
    return container


def lose(container: TestContainer) -> Claim:
    """Lose the answer about the first batch."""
    claim, lost = container.claim_first(), Unknown(reason="the line went dead")
    now = container.clock.now()
    container.deliveries.record(claim, lost, dispose(lost, claim, now), now)
    return claim


def permit_resend(engine: Engine, claim: Claim) -> None:
    assert UnknownBatchStore(engine).resolve(claim.batch_id, Resolution.RESEND, "silence")


def receive_events_of_others(container: TestContainer) -> None:
    with container.engine.begin() as connection:
        connection.execute(
            text("""UPDATE delivery SET state = 30 FROM batch
                     WHERE batch.issue_id = delivery.issue_id AND batch.state = 'accepted'
                       AND place BETWEEN first_place AND last_place""")
        )


def event_of(claim: Claim) -> DeliveryEvent:
    return DeliveryEvent(
        event_id="late",
        kind=EventKind.DELIVERED,
        delivery=claim.delivery(claim.recipients[0]),
        attempt_id=claim.attempt_id,
        installation_id=claim.installation_id,
        at=datetime(2026, 11, 23, 10, tzinfo=UTC),
        reason="",
        raw={},
    )


def assert_written_to_once(container: TestContainer, claim: Claim) -> None:
    """Send the rest; the recipients of the lost request are not sent to again."""
    container.queue.work(until_empty=True)
    assert not {r.email for r in claim.recipients} & set(container.mailer.addresses)
    assert_all_accepted(container)


def assert_all_accepted(container: TestContainer) -> None:
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert stored.state is IssueStatus.SENT
    assert container.deliveries.totals(stored.id).sums.accepted == len(READERS)


def test_an_event_that_comes_between_the_permission_and_the_resend_prevents_it(container, engine):
    claim = lose(container)
    permit_resend(engine, claim)
    container.record_event(event_of(claim))
    assert_written_to_once(container, claim)


def test_an_event_that_prevents_the_last_resend_ends_the_issue(container, engine):
    claim = lose(container)
    container.queue.work(until_empty=True)
    permit_resend(engine, claim)
    assert container.publishing.issue(container.newsletter, TODAY).state is IssueStatus.SENDING
    container.record_event(event_of(claim))
    assert_all_accepted(container)


def test_an_answer_that_comes_between_the_permission_and_the_resend_prevents_it(container, engine):
    claim = container.claim_first()
    container.clock.pass_time(minutes=4)
    container.deliveries.expire_leases(container.clock.now())
    permit_resend(engine, claim)
    accepted, now = Accepted(message_id="late"), container.clock.now()
    container.deliveries.record(claim, accepted, dispose(accepted, claim, now), now)
    assert_written_to_once(container, claim)


def test_what_was_posted_while_nobody_listened_is_awaited_before_absence_counts(container, engine):
    claim = lose(container)
    container.queue.work(until_empty=True)
    receive_events_of_others(container)
    container.clock.pass_time(minutes=30)  # the service was down; SendGrid holds the events

    restarted = open_container(engine)
    restarted.clock.time = container.clock.now()
    restarted.reconciling.start_receiving()
    restarted.listen(minutes=16)  # the newer ones are posted first
    assert [found for _, found in restarted.reconciling.unknown_batches()] == [Reconciliation.HELD]
    restarted.recovery.recover()
    restarted.queue.work(until_empty=True)
    assert restarted.mailer.asked == []

    restarted.record_event(event_of(claim))
    restarted.clock.pass_time(minutes=16)
    restarted.recovery.recover()
    restarted.queue.work(until_empty=True)
    assert restarted.mailer.asked == []
    assert_all_accepted(restarted)


def test_absence_counts_after_listening_for_a_quiet_period(container, engine):
    claim = lose(container)
    container.queue.work(until_empty=True)
    receive_events_of_others(container)
    restarted = open_container(engine)
    restarted.sending.new_id = lambda: "again"
    restarted.listen(minutes=16)
    restarted.recovery.recover()
    restarted.queue.work(until_empty=True)
    assert restarted.mailer.addresses == [one.email for one in claim.recipients]


def test_absence_is_judged_only_where_events_are_received(container, engine):
    lose(container)
    container.queue.work(until_empty=True)
    receive_events_of_others(container)
    container.listen(minutes=16)
    container.reconciling.record_receiving()  # the line has no break before the other listens
    listener = Reconciling(
        unknowns=UnknownBatchStore(engine),
        webhook_line=container.webhook_line,
        decisions=DecisionLog(engine, container.clock),
        clock=container.clock,
        quiet_period=timedelta(minutes=15),
        new_receiver=lambda: "listener",
    )
    assert [found for _, found in listener.unknown_batches()] == [Reconciliation.RESEND]
    assert listener.by_events() == 0

    scheduler = BackgroundScheduler()
    reconcile_by_events(scheduler, listener)  # as `serve` does, which opens the webhook
    job = scheduler.get_job("reconcile")
    job.func()
    assert listener.unknown_batches() == ()


def test_a_worker_outlives_a_database_that_goes_away(engine, monkeypatch):
    queue, ends = JobQueue(engine, concurrency=1), [ConnectorException(), None]

    async def work(*, until_empty: bool) -> None:
        if end := ends.pop(0):
            raise end

    monkeypatch.setattr(queue, "_work", work)
    monkeypatch.setattr("newsletter.adapters.jobs._REST", 0)
    queue.work(until_empty=False)
    assert ends == []
