"""An issue sent by hand leaves after a grace, in which one press calls it back."""

import re
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.container import TODAY, TestContainer
from tests.web.console.day import ISSUE, MARKETER, READERS, day_of_practice, state
from tests.web.console.serving import OWN_SLUG, ConsoleClient, sign_in, url_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    made = day_of_practice(engine, url_of(listener), tmp_path)
    made.sending_by_hand.grace = timedelta(minutes=5)
    made.publishing.approve(made.newsletter, TODAY, actor="bo@example.org")
    return made


@pytest.fixture
def ada(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    """Ada, who has just pressed "Send it now"."""
    console.token = sign_in(container, "ada@example.org", *MARKETER, name="Ada")
    page = console.get(f"{ISSUE}?count=1").text
    names = ("people", "approved_hash")
    found = {one: re.findall(rf'name="{one}" value="([^"]*)"', page)[0] for one in names}
    answer = console.post(f"{ISSUE}/send-now", form_key="a", **found)
    assert answer.headers["location"] == f"{ISSUE}/leaving"
    return console


def test_nothing_is_planned_before_the_grace_is_over(
    container: TestContainer, ada: ConsoleClient
) -> None:
    container.clock.pass_time(minutes=2, seconds=48)
    container.sending_by_hand.run_due()
    assert (state(container), container.rows()["batch"]) == ("approved", 0)
    page = ada.get(f"{ISSUE}/leaving").text
    assert "It leaves in 2 minutes and 12 seconds, at " in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert "Call it back</button>" in page
    assert "It leaves in 2 minutes and 12 seconds" in ada.get(f"/{OWN_SLUG}/today?count=1").text
    container.clock.pass_time(minutes=2, seconds=12)
    container.sending_by_hand.run_due()
    container.queue.work(until_empty=True)
    assert sorted(container.mailer.addresses) == sorted(READERS)
    planned = container.publishing.issue(container.newsletter, TODAY)
    assert planned.planned_by == "ada@example.org"


def test_one_press_calls_it_back_and_nothing_has_left(
    container: TestContainer, ada: ConsoleClient
) -> None:
    assert ada.post(f"{ISSUE}/call-back").headers["location"] == ISSUE
    container.clock.pass_time(minutes=6)
    container.sending_by_hand.run_due()
    assert (state(container), container.rows()["batch"]) == ("approved", 0)
    assert ada.post(f"{ISSUE}/call-back").status_code == 409


def test_after_its_hour_it_is_a_draft_since_it_would_leave_at_once(
    container: TestContainer, ada: ConsoleClient
) -> None:
    container.clock.pass_time(minutes=60 * 12)
    ada.token = sign_in(container, "cy@example.org", *MARKETER)
    ada.post(f"{ISSUE}/call-back")
    assert state(container) == "draft"


def test_who_calls_it_back_while_it_is_taken_wins(
    container: TestContainer, ada: ConsoleClient
) -> None:
    [stored] = container.issues.due_by_hand(container.clock.now() + timedelta(minutes=5))
    ada.post(f"{ISSUE}/call-back")
    found = container.planning.hand_over(container.newsletter, TODAY, leaves_at=stored.leaves_at)
    assert not found.planned
    assert state(container) == "approved"


def test_what_cannot_leave_is_called_back_and_operators_are_alerted(
    container: TestContainer, ada: ConsoleClient
) -> None:
    assert ada.token
    container.publishing.base_url = "https://elsewhere.example"
    container.clock.pass_time(minutes=5)
    container.sending_by_hand.run_due()
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert (stored.state.value, stored.leaves_at) == ("approved", None)
    [(_, alert)] = container.schedule_store.pending_alerts()
    assert "is not what was approved" in alert.sentence


def test_to_take_the_approval_back_ends_the_grace(
    container: TestContainer, ada: ConsoleClient
) -> None:
    ada.post(f"{ISSUE}/take-back", form_key="b")
    stored = container.publishing.approve(container.newsletter, TODAY, actor="bo@example.org")
    assert stored.leaves_at is None
