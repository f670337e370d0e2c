"""Unknown batches: settled by silence, once, or by a person; never by guess."""

import pytest
from sqlalchemy import Engine, text

from newsletter.core.delivery import Unknown
from newsletter.core.reconciliation import Ruling, Settlement
from newsletter.core.stored import IssueState
from newsletter.errors import NotAllowed
from newsletter.stores.unknown_batches import Unknowns
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}
LOST = Unknown(reason="the line went dead")


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    """A house where the first of three batches got no answer."""
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, READERS)
    house.mailer.answers = [LOST]
    house.post()
    return house


def sums(house: TestHouse):
    return house.inquiry.account(house.issues.find("technology", TODAY)).sums


def hear_of_others(house: TestHouse) -> None:
    """Let an event come of each accepted batch."""
    with house.engine.begin() as connection:
        connection.execute(
            text("""UPDATE delivery SET state = 30 FROM batch
                     WHERE batch.id = batch_id AND batch.state = 'accepted'""")
        )


def test_silence_while_others_are_heard_permits_one_resend(house):
    hear_of_others(house)
    house.clock.pass_time(minutes=16)
    house.dispatch.recover()
    house.queue.work(until_empty=True)

    assert (sums(house).unknown, sums(house).accepted) == (0, 9)
    assert len(house.mailer.asked) == 4


def test_what_was_decided_of_one_request_is_not_done_to_a_later_one(house, engine):
    [(before, _)] = house.settling.listed()
    house.mailer.answers = [LOST]
    house.settling.by_hand(before.batch_id, Ruling.RESEND, actor="test", because="not there")
    house.dispatch.recover()
    house.queue.work(until_empty=True)
    [(after, _)] = house.settling.listed()
    assert after.batch_id == before.batch_id

    resend = Unknowns(engine).settle
    assert not resend(before.batch_id, Ruling.RESEND, "silence", before.attempts)
    assert resend(after.batch_id, Ruling.RESEND, "silence", after.attempts)


def test_before_the_quiet_period_is_over_nothing_is_sent_again(house):
    hear_of_others(house)
    house.clock.pass_time(minutes=14)
    house.dispatch.recover()
    house.queue.work(until_empty=True)

    assert sums(house).unknown == 3
    assert [found for _, found in house.settling.listed()] == [Settlement.WAIT]


def test_silence_of_everybody_permits_nothing(house):
    house.clock.pass_time(days=1)
    house.dispatch.recover()
    house.queue.work(until_empty=True)

    assert len(house.mailer.asked) == 3
    assert [found for _, found in house.settling.listed()] == [Settlement.PERSON]


def test_a_batch_lost_twice_waits_for_a_person(house):
    hear_of_others(house)
    house.clock.pass_time(minutes=16)
    house.mailer.answers = [LOST]
    house.dispatch.recover()
    house.queue.work(until_empty=True)
    house.clock.pass_time(days=1)
    house.dispatch.recover()
    house.queue.work(until_empty=True)

    assert len(house.mailer.asked) == 4
    assert [found for _, found in house.settling.listed()] == [Settlement.PERSON]


@pytest.mark.parametrize(
    "ruling, unknown, accepted, refused, requests",
    [
        (Ruling.ACCEPTED, 0, 9, 0, 3),
        (Ruling.REFUSED, 0, 6, 3, 3),
        (Ruling.RESEND, 0, 9, 0, 4),
    ],
)
def test_a_person_settles_with_a_reason_on_record(
    house, ruling, unknown, accepted, refused, requests
):
    [(batch, _)] = house.settling.listed()
    house.settling.by_hand(batch.batch_id, ruling, actor="test", because="the provider said so")
    house.dispatch.recover()
    house.queue.work(until_empty=True)

    found = sums(house)
    assert (found.unknown, found.accepted, found.refused) == (unknown, accepted, refused)
    assert found.add_up
    assert len(house.mailer.asked) == requests
    assert house.issues.find("technology", TODAY).state is IssueState.SENT
    with pytest.raises(NotAllowed, match="nothing to settle"):
        house.settling.by_hand(batch.batch_id, ruling, actor="test", because="again")
