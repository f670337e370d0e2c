"""Readers: how many there are, who has a part of an address, and why a letter came or did not."""

import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Claim
from newsletter.services import people
from newsletter.web.console import readers
from subscribers.model import Subscription
from tests.container import TODAY, TestContainer, ids_of, one_request
from tests.web.console.day import MARKETER, day_of_practice
from tests.web.console.serving import FOREIGN_SLUG, OWN_SLUG, ConsoleClient, sign_in, url_of

pytestmark = pytest.mark.postgres

READERS = f"/{OWN_SLUG}/readers"


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def ada(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    console.token = sign_in(container, "ada@example.org", *MARKETER)
    return console


def test_the_readers_are_counted_once_for_many_looks(
    container: TestContainer, ada: ConsoleClient
) -> None:
    assert "13 readers get letters." in ada.get(READERS).text
    container.unsubscribe("r1@example.com")
    assert "13 readers get letters." in ada.get(READERS).text
    container.clock.pass_time(minutes=1)
    text = ada.get(READERS).text
    assert "12 readers get letters." in text
    assert "0 pause, 1 have left, 0 addresses must not be written to." in text


def test_a_search_says_what_it_found(ada: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def heading(part: str) -> str:
        text = ada.post(f"{READERS}/search", part=part).text
        return text.partition("<h1")[2].partition("</h1>")[0].partition(">")[2]

    assert heading("robot") == "One reader has “robot” in the address."
    assert heading("r1") == "Please give at least three letters of the address."
    assert heading("<b>no") == "No reader has “&lt;b&gt;no” in the address."
    assert heading("r1@") == "One reader has “r1@” in the address."
    assert heading("example") == "13 readers have “example” in their addresses."
    monkeypatch.setattr(readers, "_MOST", 13)
    assert heading("example") == "At least 13 readers have “example” in their addresses."


def test_an_explanation_is_there_at_every_moment_of_an_issue(
    container: TestContainer, ada: ConsoleClient
) -> None:
    def why(number: int) -> str:
        fields = {"address": f"r{number}@example.com", "on": str(TODAY)}
        answer = ada.post(f"{READERS}/why", **fields)
        assert answer.status_code == 200
        return answer.text.partition('<section class="part" aria-labelledby="find">')[0]

    container.publishing.approve(container.newsletter, TODAY, actor="bo@example.org")
    container.plan_issue()
    assert "It is planned and waits for a worker." in why(0)
    claim = container.claim_first()
    assert "no answer yet" in why(_number(claim))
    container.queue.work(until_empty=True)
    delivered = {"event": "delivered", "email": "r@example.com", "response": "250 OK"}
    when = {"timestamp": int(container.clock.now().timestamp()), "sg_event_id": "one"}
    container.receive_events(delivered | when | ids_of(claim))
    assert "delivered <span" in why(_number(claim))
    assert "250 OK" in why(_number(claim))


def _number(claim: Claim) -> int:
    """Return which of the readers is the first of a batch."""
    return int(claim.recipients[0].email[1:].partition("@")[0])


def test_of_many_letters_a_readers_page_shows_the_latest_and_all_on_request(
    container: TestContainer, ada: ConsoleClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(people, "LATEST", 3)
    [reader] = container.subscriptions.by_email("r1@example.com")
    for issue in range(20, 24):
        _add_letter(container, reader, issue)
    dates = [f"2020-01-{day}" for day in range(21, 25)]  # planned at one moment: by their numbers
    path, button = f"{READERS}/{reader.subscriber_id}", "Show all letters"
    latest = ada.post(path).text
    assert [f"{OWN_SLUG} {day}" in latest for day in dates] == [False, True, True, True]
    assert button in latest
    assert "imported" in latest
    whole = ada.post(path, whole="true").text
    assert all(f"{OWN_SLUG} {day}" in whole for day in dates)
    assert button not in whole
    monkeypatch.setattr(people, "LATEST", 4)
    assert ada.post(path).text == whole


def test_letters_of_newsletters_that_one_does_not_see_take_no_place(
    container: TestContainer, ada: ConsoleClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(people, "LATEST", 3)
    [reader] = container.subscriptions.by_email("r1@example.com")
    for issue in range(20, 24):
        _add_letter(container, reader, issue)
    container.query(f"UPDATE issue SET newsletter = '{FOREIGN_SLUG}' WHERE id > 20")
    text = ada.post(f"{READERS}/{reader.subscriber_id}").text
    assert f"{OWN_SLUG} 2020-01-21" in text
    assert "Show all letters" not in text


def _add_letter(container: TestContainer, reader: Subscription, issue: int) -> None:
    """Add an issue that was sent, and this reader's letter of it."""
    container.query(one_request(issue))
    container.query(
        "INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id) "
        f"VALUES ({issue}, 1, {reader.subscriber_id}, {reader.id})"
    )
