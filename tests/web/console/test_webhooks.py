"""Webhooks in the console: added with a secret shown once, tried, looked at, sent again."""

import re
import socket

import pytest
from sqlalchemy import Engine

from newsletter.core.webhook import CHOICES
from tests.container import TestContainer
from tests.web.console.serving import OWN_SLUG, ConsoleClient, console_container, url_of
from tests.webhook_endpoint import Endpoint

pytestmark = pytest.mark.postgres

WEBHOOKS = f"/{OWN_SLUG}/settings/webhooks"


@pytest.fixture
def container(engine: Engine, listener: socket.socket) -> TestContainer:
    return console_container(engine, url_of(listener), host="http://127.0.0.1:9")


@pytest.fixture
def owner(members: dict[str, ConsoleClient]) -> ConsoleClient:
    return members["own"]


def add(owner: ConsoleClient, endpoint: Endpoint) -> str:
    shown = owner.post(WEBHOOKS, name="chat", url=endpoint.url, event=[*CHOICES])
    [secret] = re.findall(r'value="(whsec_[^"]+)"', shown.text)
    return secret


def path_after(answer) -> str:
    return answer.headers["location"]


def form_key(owner: ConsoleClient) -> str:
    return re.findall(r'name="form_key" value="(\w+)"', owner.get(f"{WEBHOOKS}/1").text)[0]


def test_an_endpoint_is_added_and_its_secret_shown_once(owner: ConsoleClient, endpoint: Endpoint):
    assert "No other program learns" in owner.get(WEBHOOKS).text
    secret = add(owner, endpoint)
    for page in (WEBHOOKS, f"{WEBHOOKS}/1"):
        text = owner.get(page).text
        assert endpoint.url in text
        assert secret not in text
    assert "All events" in owner.get(WEBHOOKS).text


def test_an_endpoint_names_its_newsletters_as_people_do(owner: ConsoleClient, endpoint: Endpoint):
    owner.post(WEBHOOKS, name="one", url=endpoint.url, event=[*CHOICES], newsletter=[OWN_SLUG])
    add(owner, endpoint)
    shown = owner.get(WEBHOOKS).text
    assert "All events · <bdi>Technology Daily</bdi>" in " ".join(shown.split())
    assert "All events · All newsletters" in " ".join(shown.split())
    assert "<dd><bdi>Technology Daily</bdi>" in owner.get(f"{WEBHOOKS}/1").text.replace("\n", "")


def test_what_cannot_be_added_is_said_and_what_was_typed_stays(owner: ConsoleClient):
    refused = owner.post(WEBHOOKS, name="chat", url="http://hooks.example.com/", event="issue.left")
    assert refused.status_code == 409
    assert "must begin with https" in refused.text
    assert 'value="http://hooks.example.com/"' in refused.text
    assert refused.text.count(" checked") == 1
    nothing = owner.post(WEBHOOKS, name="chat", url="https://hooks.example.com/")
    assert "choose from" in nothing.text


def test_a_ping_says_whether_it_was_taken(owner: ConsoleClient, endpoint: Endpoint):
    add(owner, endpoint)
    taken = path_after(owner.post(f"{WEBHOOKS}/1/test", form_key=form_key(owner)))
    assert "the endpoint answers" in owner.get(taken).text
    endpoint.status, endpoint.answer = 503, b"<b>back soon</b>"
    failed = path_after(owner.post(f"{WEBHOOKS}/1/test", form_key=form_key(owner)))
    text = owner.get(failed).text
    assert "The ping failed" in text
    assert "127.0.0.1 answered 503" in text
    assert "&lt;b&gt;back soon&lt;/b&gt;" in text


def test_it_is_paused_with_a_reason_and_goes_on(
    owner: ConsoleClient, endpoint: Endpoint, container: TestContainer
):
    add(owner, endpoint)
    assert "said=paused" in path_after(owner.post(f"{WEBHOOKS}/1/pause", because="it moves"))
    assert "it moves (own@example.org)" in owner.get(WEBHOOKS).text
    assert owner.post(f"{WEBHOOKS}/1/pause", because="twice").status_code == 409
    assert "said=resumed" in path_after(owner.post(f"{WEBHOOKS}/1/resume"))
    assert container.webhooks.endpoint(1).is_active


def test_another_secret_is_made_once_for_a_page_that_was_shown(
    owner: ConsoleClient, endpoint: Endpoint
):
    secret = add(owner, endpoint)
    first = owner.post(f"{WEBHOOKS}/1/rotate", former="")
    assert "whsec_" in first.text
    assert secret not in first.text
    again = owner.post(f"{WEBHOOKS}/1/rotate", former="")
    assert again.status_code == 409
    assert "whsec_" not in again.text
    assert "the one before counts, too" in owner.get(f"{WEBHOOKS}/1").text


def test_a_delivery_is_sent_again(
    owner: ConsoleClient, endpoint: Endpoint, container: TestContainer
):
    add(owner, endpoint)
    container.receive("chips")
    container.publishing.assemble(container.newsletter, container.clock.now().date())
    container.webhook_sending.send_due()
    shown = owner.get(f"{WEBHOOKS}/1").text
    assert shown.count("Delivered") == 2
    [newest, _] = re.findall(r'action="([^"]+/send-again)"', shown)
    assert "said=again" in path_after(owner.post(newest))
    container.webhook_sending.send_due()
    assert endpoint.kinds == ["issue.drafted", "issue.approved", "issue.approved"]
    assert owner.post(f"{WEBHOOKS}/1/deliveries/99/send-again").status_code == 404


def test_it_is_removed_and_the_log_has_all_of_it(owner: ConsoleClient, endpoint: Endpoint):
    add(owner, endpoint)
    gone = path_after(owner.post(f"{WEBHOOKS}/1/remove", form_key=form_key(owner)))
    assert "The endpoint is removed" in owner.get(gone).text
    assert owner.get(f"{WEBHOOKS}/1").status_code == 404
    log = owner.get(f"/{OWN_SLUG}/log").text
    assert re.search(r"<b>Added</b> <span[^>]*>webhook endpoint 1", log)
    assert re.search(r"<b>Removed</b> <span[^>]*>webhook endpoint 1", log)


def test_only_owners_see_any_of_it(members: dict[str, ConsoleClient]):
    assert members["edit"].get(WEBHOOKS).status_code == 403
    assert WEBHOOKS not in members["edit"].get(f"/{OWN_SLUG}/settings").text
    assert WEBHOOKS in members["own"].get(f"/{OWN_SLUG}/settings").text


def test_every_event_can_be_ticked(owner: ConsoleClient):
    ticks = re.findall(r'name="event" value="([^"]+)" checked', owner.get(WEBHOOKS).text)
    assert ticks == [*CHOICES]


def test_an_alert_about_an_endpoint_is_shown_in_every_newsletter(
    owner: ConsoleClient, endpoint: Endpoint, container: TestContainer
):
    add(owner, endpoint)
    endpoint.status = 410
    container.receive("chips")
    container.publishing.assemble(container.newsletter, container.clock.now().date())
    container.webhook_sending.send_due()
    for slug in (OWN_SLUG, "science"):
        shown = owner.get(f"/{slug}/alerts/1")
        assert shown.status_code == 200
        assert "wants no more events, and is paused" in shown.text
