"""`newsletter webhooks`, as an owner types it."""

import pytest

from tests.cli.conftest import CommandLine
from tests.webhook_endpoint import Endpoint

pytestmark = pytest.mark.postgres


@pytest.fixture
def practice(cli: CommandLine) -> CommandLine:
    cli.environment(NEWSLETTER_SENDGRID_HOST="http://127.0.0.1:9")
    return cli


def test_an_endpoint_from_its_first_ping_to_its_end(practice: CommandLine, endpoint: Endpoint):
    added = practice.done("webhooks", "add", "chat", endpoint.url, "--event", "issue.left")
    assert added["secret"].startswith("whsec_")
    assert added["endpoint"]["events"] == ["issue.left"]
    assert practice.done("webhooks", "test", "chat")["state"] == "delivered"
    assert endpoint.kinds == ["ping"]

    assert practice.done("webhooks", "pause", "chat")["state"] == "paused"
    assert "paused" in practice.run("webhooks", "list").out
    assert practice.done("webhooks", "resume", "chat")["state"] == "active"
    assert practice.done("webhooks", "rotate", "chat")["secret"] != added["secret"]
    shown = practice.done("webhooks", "show", "chat")
    [ping] = shown["deliveries"]
    assert (ping["state"], ping["answer"]["status"]) == ("delivered", 204)
    assert "whsec_" not in str(shown)
    assert practice.done("webhooks", "send-again", "chat", str(ping["id"]))["state"] == "waiting"
    assert practice.done("webhooks", "remove", "chat") == {"removed": "chat"}
    assert practice.done("webhooks", "list") == []


def test_a_ping_that_fails_is_a_failure_with_what_was_answered(
    practice: CommandLine, endpoint: Endpoint
):
    practice.done("webhooks", "add", "chat", endpoint.url)
    endpoint.status, endpoint.answer = 500, b"out of\norder"
    said = practice.run("webhooks", "test", "chat")
    assert (said.code, said.out) == (1, "127.0.0.1 answered 500 “out of order”\n")
    shown = practice.run("webhooks", "show", "chat").out
    assert "all events" in shown
    assert "given up" in shown


def test_what_is_wrong_is_one_sentence(cli: CommandLine):
    add = ("webhooks", "add", "chat")
    assert "must begin with https://" in cli.refused(*add, "http://127.0.0.1:9/")
    assert "is no event; choose from" in cli.refused(*add, "https://a.example/", "--event", "x")
    assert "choose from technology" in cli.refused(
        *add, "https://a.example/", "--newsletter", "nothing"
    )
    assert cli.refused("webhooks", "show", "x") == (
        "there is no webhook endpoint 'x'; there are: none yet"
    )
