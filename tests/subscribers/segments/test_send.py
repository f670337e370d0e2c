"""A send to a segment: to those who are in it now, once, and adding up for everybody."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from subscribers.errors import NoSuchSegment
from subscribers.model import Suppression, SuppressionReason
from subscribers.segments.filters import Filter
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

LIST = "technology"
READERS = [f"r{n}@example.com" for n in range(6)]
FRIENDS = READERS[:4]


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, dict.fromkeys(READERS, "chips"))
    tag(container, *FRIENDS)
    tagged = Filter(tags=frozenset({"friends"}))
    container.segments.save(LIST, "friends", tagged, by="test", now=container.clock.now())
    return container


def members(container: TestContainer) -> int:
    with container.engine.begin() as connection:
        return connection.execute(text("SELECT count(*) FROM segment_member")).scalar_one()


def tag(container: TestContainer, *emails: str) -> None:
    with container.engine.begin() as connection:
        connection.execute(
            text("""UPDATE subscription SET tags = '{friends}' FROM subscriber
                     WHERE subscriber.id = subscriber_id AND email = ANY(:emails)"""),
            {"emails": list(emails)},
        )


def test_an_issue_goes_to_the_segment_alone_and_everyone_is_answered_for(container: TestContainer):
    container.unsubscribe(FRIENDS[0])  # in the segment, and gone
    planned = container.planning.hand_over(container.newsletter, TODAY, segment="friends").issue
    bounced = Suppression(
        email=FRIENDS[1],
        reason=SuppressionReason.BOUNCE,
        source="test",
        since=container.clock.now(),
    )
    container.subscriptions.suppress([bounced])  # between the plan and the claim
    tag(container, READERS[5])  # too late for this send
    assert members(container) == 0  # deliveries and exclusions say it now
    container.queue.work(until_empty=True)

    filed = container.issues.get(planned.id)
    assert (filed.state, filed.segment) == (IssueStatus.SENT, "friends")
    assert sorted(container.mailer.addresses) == FRIENDS[2:]
    account = container.deliveries.totals(filed.id)
    assert account.sums.adds_up
    assert account.exclusions == {"ended": 1, "outside_segment": 2}
    assert account.skips == {"suppressed": 1}
    why = container.explaining.why(container.newsletter, READERS[5], TODAY)
    assert why.sentence == "Not sent: the issue went to a segment they were not in."


def test_planning_again_plans_the_same_and_other_readers_are_refused(container: TestContainer):
    container.planning.hand_over(container.newsletter, TODAY, segment="friends")
    before = container.rows()
    tag(container, *READERS)

    container.planning.hand_over(container.newsletter, TODAY, segment="friends")
    container.planning.hand_over(container.newsletter, TODAY)
    assert container.rows() == before
    with pytest.raises(NotAllowed, match="was planned for the segment friends: it is not sent to"):
        container.planning.hand_over(container.newsletter, TODAY, segment="family")
    assert container.rows() == before
    assert sorted(container.mailer.addresses) == []


def test_a_send_that_died_before_its_plan_goes_to_those_who_were_written_down(
    container: TestContainer,
):
    filed = container.publishing.assemble(container.newsletter, TODAY)
    container.segments.freeze(LIST, "friends", f"{filed.id} friends", now=container.clock.now())
    tag(container, *READERS)

    container.planning.hand_over(container.newsletter, TODAY, segment="friends")
    container.queue.work(until_empty=True)
    assert sorted(container.mailer.addresses) == FRIENDS


def test_who_asks_for_a_segment_while_everybody_is_planned_is_refused(container: TestContainer):
    filed = container.publishing.assemble(container.newsletter, TODAY)
    freeze = container.segments.freeze

    def meanwhile(*args: Any, **more: Any) -> int:
        container.planning.plan(container.newsletter, filed)  # the clock was quicker
        return freeze(*args, **more)

    container.segments.freeze = meanwhile
    with pytest.raises(NotAllowed, match="was planned for all its readers"):
        container.planning.hand_over(container.newsletter, TODAY, segment="friends")
    assert members(container) == 0


def test_a_segment_that_is_not_there_sends_nothing(container: TestContainer):
    with pytest.raises(NoSuchSegment, match="has no segment 'family'; there is: friends"):
        container.planning.hand_over(container.newsletter, TODAY, segment="family")
    assert container.rows()["delivery"] == 0
    assert container.publishing.issue(container.newsletter, TODAY).planned_at is None
