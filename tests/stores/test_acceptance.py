"""A batch that was split shares its lost requests with its halves: proof of one accepts both."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from newsletter.core.delivery import (
    Accepted,
    Claim,
    Disposition,
    Outcome,
    Refused,
    Remedy,
    Unknown,
    dispose,
)
from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.core.reconciliation import Resolution
from newsletter.core.stored import IssueStatus
from newsletter.stores import acceptance
from subscribers.db.transaction import transaction
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(4)}
LOST = Unknown(reason="the line went dead")
TOO_LARGE = Refused(reason="413", remedy=Remedy.SPLIT)


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    """A container that planned one batch of four."""
    container = open_container(engine, batch_size=4)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.plan_issue()
    container.queue.jobs.clear()
    return container


def claim(container: TestContainer) -> Claim:
    """Claim the first waiting batch."""
    [(batch_id, _), *_] = container.deliveries.waiting()
    claimed = container.deliveries.claim(
        batch_id,
        attempt_id=container.sending.new_id(),
        lease=container.sending.lease,
        now=container.clock.now(),
    )
    assert isinstance(claimed, Claim)
    return claimed


def answer(container: TestContainer, claimed: Claim, outcome: Outcome) -> Disposition:
    now = container.clock.now()
    disposition = dispose(outcome, claimed, now)
    container.deliveries.record(claimed, outcome, disposition, now)
    return disposition


def lose(container: TestContainer) -> Claim:
    """Lose the answer to a request for the first waiting batch, and permit a re-send."""
    claimed = claim(container)
    answer(container, claimed, LOST)
    container.reconciling.resolve(
        claimed.batch_id, Resolution.RESEND, actor="test", because="no sign of it"
    )
    return claimed


def receive_event(container: TestContainer, claimed: Claim, reader: int = 0) -> None:
    """Let a late event of this request come."""
    event = DeliveryEvent(
        event_id=f"late-{reader}",
        kind=EventKind.DELIVERED,
        delivery=claimed.delivery(claimed.recipients[reader]),
        attempt_id=claimed.attempt_id,
        installation_id=claimed.installation_id,
        at=datetime(2026, 11, 23, 10, tzinfo=UTC),
        reason="",
        raw={},
    )
    container.record_event(event)


def assert_all_accepted(container: TestContainer, *, asked: int = 0) -> None:
    """Send the rest: so many are asked for again, and everybody counts as accepted."""
    container.recovery.recover()
    container.queue.work(until_empty=True)
    stored = container.publishing.issue(container.newsletter, TODAY)
    sums = container.deliveries.totals(stored.id).sums
    assert len(container.mailer.addresses) == asked
    assert (sums.accepted, sums.refused, sums.unknown, stored.state) == (4, 0, 0, IssueStatus.SENT)
    assert sums.adds_up


def test_proof_of_a_lost_request_reaches_the_half_that_was_split_off_since(container):
    lost = lose(container)
    answer(container, claim(container), TOO_LARGE)

    receive_event(container, lost)

    assert_all_accepted(container)


def test_proof_reaches_a_half_of_a_half(container):
    lost = lose(container)
    answer(container, claim(container), TOO_LARGE)
    answer(container, claim(container), TOO_LARGE)
    [*_, (half, _)] = container.deliveries.waiting()
    assert half == max(batch_id for batch_id, _ in container.deliveries.waiting())

    receive_event(container, lost, reader=3)

    assert_all_accepted(container)


def test_proof_reaches_a_half_whose_own_answer_was_lost_too(container):
    lost = lose(container)
    answer(container, claim(container), TOO_LARGE)
    answer(container, claim(container), LOST)
    answer(container, claim(container), LOST)

    receive_event(container, lost)

    assert_all_accepted(container)


def test_proof_of_one_half_says_nothing_of_the_other(container):
    answer(container, claim(container), TOO_LARGE)
    half = claim(container)
    answer(container, half, LOST)

    receive_event(container, half)

    assert_all_accepted(container, asked=2)


def test_an_acceptance_that_comes_after_the_resend_was_split_reaches_both_halves(container):
    late = claim(container)
    container.clock.pass_time(minutes=4)
    container.deliveries.expire_leases(container.clock.now())
    container.reconciling.resolve(
        late.batch_id, Resolution.RESEND, actor="test", because="no sign of it"
    )
    answer(container, claim(container), TOO_LARGE)

    answer(container, late, Accepted(message_id="late"))

    assert_all_accepted(container)


def test_a_reader_refused_by_the_resend_was_accepted_after_all_when_an_event_says_so(container):
    lost = lose(container)
    bad = Refused(reason="400: bad", remedy=Remedy.EJECT, offenders=(1,))
    answer(container, claim(container), bad)

    receive_event(container, lost, reader=1)

    assert_all_accepted(container)


def test_a_person_who_has_one_half_accepted_is_asked_about_the_other(container):
    lose(container)
    answer(container, claim(container), TOO_LARGE)
    half = claim(container)
    answer(container, half, LOST)
    [(other, _)] = container.deliveries.waiting()

    container.reconciling.resolve(
        half.batch_id, Resolution.ACCEPTED, actor="test", because="seen there"
    )

    assert container.deliveries.waiting() == ()  # it may be the first request that was accepted
    assert [batch.batch_id for batch, _ in container.reconciling.unknown_batches()] == [other]


def test_an_answer_counts_once_however_often_it_is_recorded(container):
    claimed = claim(container)
    answer(container, claimed, TOO_LARGE)
    answer(container, claimed, TOO_LARGE)

    assert len(container.deliveries.waiting()) == 2
    assert_all_accepted(container, asked=4)


def test_a_split_and_a_proof_at_once_do_not_miss_each_other(container, engine):
    lost = lose(container)
    resent = claim(container)
    now = container.clock.now()
    with ThreadPoolExecutor() as pool:
        with transaction(engine) as session:
            acceptance.accept_attempts(session, [lost.attempt_id], now, evidence="a test proved")
            splitting = pool.submit(answer, container, resent, TOO_LARGE)
            until_somebody_waits(engine)
        splitting.result()

    assert_all_accepted(container)


def until_somebody_waits(engine: Engine) -> None:
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    patience = time.monotonic() + 60
    with engine.connect() as onlooker:
        while not onlooker.execute(waits).scalar():
            assert time.monotonic() < patience, "nobody waits"
            onlooker.rollback()
