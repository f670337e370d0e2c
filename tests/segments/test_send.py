"""A send to a segment: to those who are in it now, once, and adding up for everybody."""

import pytest
from sqlalchemy import Engine, text

from newsletter.core.stored import IssueState
from newsletter.errors import NotAllowed
from subscribers.errors import NoSuchSegment
from subscribers.model import Suppression, SuppressionReason
from subscribers.segments.filters import Filter
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

LIST = "technology"
READERS = [f"r{n}@example.com" for n in range(6)]
FRIENDS = READERS[:4]


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, dict.fromkeys(READERS, "chips"))
    tag(house, *FRIENDS)
    tagged = Filter(tags=frozenset({"friends"}))
    house.segments.save(LIST, "friends", tagged, by="test", now=house.clock.now())
    return house


def members(house: TestHouse) -> int:
    with house.engine.begin() as connection:
        return connection.execute(text("SELECT count(*) FROM segment_member")).scalar_one()


def tag(house: TestHouse, *emails: str) -> None:
    with house.engine.begin() as connection:
        connection.execute(
            text("""UPDATE subscription SET tags = '{friends}' FROM subscriber
                     WHERE subscriber.id = subscriber_id AND email = ANY(:emails)"""),
            {"emails": list(emails)},
        )


def test_an_issue_goes_to_the_segment_alone_and_everyone_is_answered_for(house: TestHouse):
    house.leave(FRIENDS[0])  # in the segment, and gone
    planned = house.dispatch.send(house.newsletter, TODAY, segment="friends")
    bounced = Suppression(
        email=FRIENDS[1], reason=SuppressionReason.BOUNCE, source="test", since=house.clock.now()
    )
    house.subscriptions.suppress([bounced])  # between the plan and the claim
    tag(house, READERS[5])  # too late for this send
    assert members(house) == 0  # deliveries and exclusions say it now
    house.queue.work(until_empty=True)

    filed = house.issues.get(planned.id)
    assert (filed.state, filed.segment) == (IssueState.SENT, "friends")
    assert sorted(house.mailer.addresses) == FRIENDS[2:]
    account = house.inquiry.account(filed)
    assert account.sums.add_up
    assert account.exclusions == {"ended": 1, "outside_segment": 2}
    assert account.skips == {"suppressed": 1}
    why = house.inquiry.why(house.newsletter, READERS[5], TODAY)
    assert why.sentence == "Not sent: the issue went to a segment they were not in."


def test_planning_again_plans_the_same_and_other_readers_are_refused(house: TestHouse):
    house.dispatch.send(house.newsletter, TODAY, segment="friends")
    before = house.rows()
    tag(house, *READERS)

    house.dispatch.send(house.newsletter, TODAY, segment="friends")
    house.dispatch.send(house.newsletter, TODAY)
    assert house.rows() == before
    with pytest.raises(NotAllowed, match="was planned for the segment friends: it does not go to"):
        house.dispatch.send(house.newsletter, TODAY, segment="family")
    assert house.rows() == before
    assert sorted(house.mailer.addresses) == []


def test_a_send_that_died_before_its_plan_goes_to_those_who_were_written_down(house: TestHouse):
    filed = house.publishing.assemble(house.newsletter, TODAY)
    house.segments.freeze(LIST, "friends", f"{filed.id} friends", now=house.clock.now())
    tag(house, *READERS)

    house.dispatch.send(house.newsletter, TODAY, segment="friends")
    house.queue.work(until_empty=True)
    assert sorted(house.mailer.addresses) == FRIENDS


def test_who_asks_for_a_segment_while_everybody_is_planned_is_told(house: TestHouse):
    filed = house.publishing.assemble(house.newsletter, TODAY)
    freeze = house.segments.freeze

    def meanwhile(*args: object, **more: object) -> None:
        house.dispatch.plan(house.newsletter, filed)  # the clock was quicker
        freeze(*args, **more)

    house.segments.freeze = meanwhile
    with pytest.raises(NotAllowed, match="was planned for all its readers"):
        house.dispatch.send(house.newsletter, TODAY, segment="friends")
    assert members(house) == 0


def test_a_segment_that_is_not_there_sends_nothing(house: TestHouse):
    with pytest.raises(NoSuchSegment, match="has no segment 'family'; there is: friends"):
        house.dispatch.send(house.newsletter, TODAY, segment="family")
    assert house.rows()["delivery"] == 0
    assert house.publishing.issue(house.newsletter, TODAY).planned_at is None
