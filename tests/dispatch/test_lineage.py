"""A batch that was split shares its lost requests with its halves: proof of one settles both."""

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
from newsletter.core.reconciliation import Ruling
from newsletter.core.stored import IssueState
from newsletter.stores import acceptance
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(4)}
LOST = Unknown(reason="the line went dead")
TOO_LARGE = Refused(reason="413", remedy=Remedy.SPLIT)


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    """A house that planned one batch of four."""
    house = open_house(engine, size=4)
    house.receive("chips")
    house.subscribe(tmp_path, READERS)
    house.send()
    house.queue.jobs.clear()
    return house


def claim(house: TestHouse) -> Claim:
    """Claim the first waiting batch."""
    [(batch_id, _), *_] = house.deliveries.waiting()
    claimed = house.deliveries.claim(
        batch_id,
        attempt_id=house.dispatch._new_id(),
        lease=house.dispatch._lease,
        now=house.clock.now(),
    )
    assert isinstance(claimed, Claim)
    return claimed


def answer(house: TestHouse, claimed: Claim, outcome: Outcome) -> Disposition:
    now = house.clock.now()
    disposition = dispose(outcome, claimed, now)
    house.deliveries.record(claimed, outcome, disposition, now)
    return disposition


def lose(house: TestHouse) -> Claim:
    """Lose the answer to a request for the first waiting batch, and permit a re-send."""
    claimed = claim(house)
    answer(house, claimed, LOST)
    house.settling.by_hand(claimed.batch_id, Ruling.RESEND, actor="test", because="no sign of it")
    return claimed


def hear(house: TestHouse, claimed: Claim, reader: int = 0) -> None:
    """Let a late event of this request come."""
    event = DeliveryEvent(
        event_id=f"late-{reader}",
        kind=EventKind.DELIVERED,
        delivery_id=claimed.recipients[reader].delivery_id,
        attempt_id=claimed.attempt_id,
        at=datetime(2026, 11, 23, 10, tzinfo=UTC),
        reason="",
        raw={},
    )
    house.events.keep([event], house.clock.now())


def assert_all_accepted(house: TestHouse, *, asked: int = 0) -> None:
    """Let the rest leave: so many are asked for again, and everybody counts as accepted."""
    house.dispatch.recover()
    house.queue.work(until_empty=True)
    filed = house.publishing.issue(house.newsletter, TODAY)
    sums = house.inquiry.account(filed).sums
    assert len(house.mailer.addresses) == asked
    assert (sums.accepted, sums.refused, sums.unknown, filed.state) == (4, 0, 0, IssueState.SENT)
    assert sums.add_up


def test_proof_of_a_lost_request_reaches_the_half_that_was_split_off_since(house):
    lost = lose(house)
    answer(house, claim(house), TOO_LARGE)

    hear(house, lost)

    assert_all_accepted(house)


def test_proof_reaches_a_half_of_a_half(house):
    lost = lose(house)
    answer(house, claim(house), TOO_LARGE)
    answer(house, claim(house), TOO_LARGE)
    [*_, (half, _)] = house.deliveries.waiting()
    assert half == max(batch_id for batch_id, _ in house.deliveries.waiting())

    hear(house, lost, reader=3)

    assert_all_accepted(house)


def test_proof_reaches_a_half_whose_own_answer_was_lost_too(house):
    lost = lose(house)
    answer(house, claim(house), TOO_LARGE)
    answer(house, claim(house), LOST)
    answer(house, claim(house), LOST)

    hear(house, lost)

    assert_all_accepted(house)


def test_proof_of_one_half_says_nothing_of_the_other(house):
    answer(house, claim(house), TOO_LARGE)
    half = claim(house)
    answer(house, half, LOST)

    hear(house, half)

    assert_all_accepted(house, asked=2)


def test_an_acceptance_that_comes_after_the_resend_was_split_reaches_both_halves(house):
    late = claim(house)
    house.clock.pass_time(minutes=4)
    house.deliveries.expire_leases(house.clock.now())
    house.settling.by_hand(late.batch_id, Ruling.RESEND, actor="test", because="no sign of it")
    answer(house, claim(house), TOO_LARGE)

    answer(house, late, Accepted(message_id="late"))

    assert_all_accepted(house)


def test_a_reader_refused_by_the_resend_was_accepted_after_all_when_an_event_says_so(house):
    lost = lose(house)
    bad = Refused(reason="400: bad", remedy=Remedy.EJECT, offenders=(1,))
    answer(house, claim(house), bad)

    hear(house, lost, reader=1)

    assert_all_accepted(house)


def test_a_person_who_has_one_half_accepted_is_asked_about_the_other(house):
    lose(house)
    answer(house, claim(house), TOO_LARGE)
    half = claim(house)
    answer(house, half, LOST)
    [(other, _)] = house.deliveries.waiting()

    house.settling.by_hand(half.batch_id, Ruling.ACCEPTED, actor="test", because="seen there")

    assert house.deliveries.waiting() == ()  # it may be the first request that was accepted
    assert [batch.batch_id for batch, _ in house.settling.listed()] == [other]


def test_an_answer_counts_once_however_often_it_is_recorded(house):
    claimed = claim(house)
    answer(house, claimed, TOO_LARGE)
    answer(house, claimed, TOO_LARGE)

    assert len(house.deliveries.waiting()) == 2
    assert_all_accepted(house, asked=4)


def test_a_split_and_a_proof_at_once_do_not_miss_each_other(house, engine):
    lost = lose(house)
    resent = claim(house)
    with ThreadPoolExecutor() as pool, engine.begin() as keeping:
        acceptance.prove(keeping, [lost.attempt_id], house.clock.now(), witness="a test proved")
        splitting = pool.submit(answer, house, resent, TOO_LARGE)
        until_somebody_waits(engine)
        keeping.commit()
        splitting.result()

    assert_all_accepted(house)


def until_somebody_waits(engine: Engine) -> None:
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    patience = time.monotonic() + 10
    with engine.connect() as onlooker:
        while not onlooker.execute(waits).scalar():
            assert time.monotonic() < patience, "nobody waits"
            onlooker.rollback()
