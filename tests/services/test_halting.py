"""Stopping, whatever the issue is just doing."""

import threading

import pytest
from sqlalchemy import Engine

from newsletter.core.stored import IssueStatus
from subscribers.db.transaction import transaction
from tests.container import TODAY, TestContainer, open_container


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def stop(container):
    return container.halting.stop(container.newsletter, TODAY, actor="ada", because="wrong link")


def test_what_waits_to_leave_is_a_draft_again(container):
    container.receive("chips")
    container.publishing.assemble(container.newsletter, TODAY)
    assert stop(container).state is IssueStatus.DRAFT


def test_what_leaves_is_paused_and_a_second_press_changes_nothing(container, tmp_path):
    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": "chips"})
    container.plan_issue()
    assert stop(container).state is IssueStatus.PAUSED
    assert stop(container).state is IssueStatus.PAUSED
    container.queue.work(until_empty=True)
    assert container.mailer.asked == []


def test_a_stop_while_it_is_planned_waits_for_the_plan_and_stops_it(container, tmp_path):
    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": "chips"})
    stored = container.publishing.assemble(container.newsletter, TODAY)
    stopped: list[IssueStatus] = []
    stopping = threading.Thread(target=lambda: stopped.append(stop(container).state))
    with transaction(container.engine) as session:  # as a plan does: the last step is the commit
        session.connection().exec_driver_sql(
            "UPDATE issue SET state = 'sending', planned_at = now() WHERE id = %s", (stored.id,)
        )
        stopping.start()
        stopping.join(0.5)
        assert stopping.is_alive()
    stopping.join(30)
    assert stopped == [IssueStatus.PAUSED]


def test_an_issue_that_is_through_stays_as_it_is(container, tmp_path):
    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": "chips"})
    assert container.send_issue().state is IssueStatus.SENT
    assert stop(container).state is IssueStatus.SENT
