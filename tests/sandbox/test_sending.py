"""Sending to the sandbox with the real client, and what it stores."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from python_http_client import exceptions
from sendgrid import SendGridAPIClient

from newsletter.sandbox.server import Sandbox

Make = Callable[..., dict[str, Any]]
Start = Callable[..., Sandbox]
Connect = Callable[..., SendGridAPIClient]


def test_the_real_client_is_answered_as_by_sendgrid(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    reply = client.send(message(1000))
    assert (reply.status_code, reply.body) == (202, b"")
    assert len(reply.headers["X-Message-Id"]) == 22
    stats = sandbox.stats()
    assert (stats["accepted_requests"], stats["accepted_recipients"]) == (1, 1000)
    assert (stats["distinct_recipients"], stats["repeated"]) == (1000, 0)
    assert (stats["by_status"], stats["refused_requests"]) == ({"202": 1}, 0)


def test_a_refusal_names_its_places_and_keeps_nothing(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    request = message(3)
    request["personalizations"][1]["to"][0]["email"] = "nobody"
    with pytest.raises(exceptions.BadRequestsError) as refused:
        client.send(request)
    (error,) = refused.value.to_dict["errors"]
    assert error["field"] == "personalizations.1.to.0.email"
    assert error["message"] == "Does not contain a valid address."
    assert error["help"].startswith("http://sendgrid.com/docs/")
    assert sandbox.messages() == []
    assert sandbox.stats()["refused_requests"] == 1


@pytest.mark.parametrize("key", ["", "SG.", "test", "SG"])
def test_what_is_no_key_is_refused(
    sandbox: Sandbox, make_client: Connect, message: Make, key: str
) -> None:
    with pytest.raises(exceptions.UnauthorizedError) as refused:
        make_client(sandbox, key).send(message())
    text = refused.value.to_dict["errors"][0]["message"]
    assert text == "The provided authorization grant is invalid, expired, or revoked"


def test_chosen_keys_are_the_only_ones(start: Start, make_client: Connect, message: Make) -> None:
    with start(keys=("SG.one", "two"), max_body=5000) as sandbox:
        assert make_client(sandbox, "two").send(message()).status_code == 202
        with pytest.raises(exceptions.UnauthorizedError):
            make_client(sandbox, "SG.other").send(message())
        with pytest.raises(exceptions.PayloadTooLargeError):
            make_client(sandbox, "two").send(message(subject="x" * 5000))
        assert sandbox.stats()["by_status"] == {"202": 1, "401": 1, "413": 1}


def ask(
    sandbox: Sandbox, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=30)
    connection.request(method, path, body, {"Authorization": "Bearer SG.test", **headers})
    reply = connection.getresponse()
    answer = reply.status, reply.headers, reply.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/v3/mail/send", 405),
        ("GET", "/v3/nowhere", 404),
        ("GET", "/v3/suppression/everyone", 404),
        ("GET", "/v3/suppression/bounces?limit=501", 400),
        ("GET", "/v3/suppression/bounces?limit=0", 400),
        ("GET", "/v3/suppression/bounces?offset=x", 400),
        ("GET", "/v3/mail/batch/unknown", 400),
        ("POST", "/v3/mail/send", 415),
        ("GET", "/sandbox/messages/1000000", 404),
        ("GET", "/sandbox/messages/x", 404),
        ("GET", "/sandbox/messages?limit=x", 400),
        ("PUT", "/sandbox/faults", 400),
        ("GET", "/inbox/1000000", 404),
    ],
)
def test_wrong_questions_get_a_json_error(
    sandbox: Sandbox, method: str, path: str, status: int
) -> None:
    answered, headers, body = ask(sandbox, method, path, b"?")
    assert (answered, headers["Content-Type"]) == (status, "application/json")
    assert json.loads(body)["errors"][0]["message"]


def test_a_body_of_unknown_length_is_refused(sandbox: Sandbox) -> None:
    status, _, _ = ask(sandbox, "POST", "/v3/mail/send", None, **{"Transfer-Encoding": "chunked"})
    assert status == 411


def test_sandbox_mode_checks_and_sends_nothing(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    settings = {"sandbox_mode": {"enable": True}}
    assert client.send(message(mail_settings=settings)).status_code == 200
    assert sandbox.stats()["accepted_requests"] == 0


def test_batch_ids_are_given_out_and_asked_for(client: SendGridAPIClient, message: Make) -> None:
    given = client.client.mail.batch.post()
    assert given.status_code == 201
    batch_id = given.to_dict["batch_id"]
    assert client.client.mail.batch._(batch_id).get().to_dict == {"batch_id": batch_id}
    assert client.send(message(batch_id=batch_id)).status_code == 202
    with pytest.raises(exceptions.BadRequestsError) as refused:
        client.send(message(batch_id="made up"))
    assert refused.value.to_dict["errors"][0]["field"] == "batch_id"


def test_scopes_tell_that_mail_may_be_sent(client: SendGridAPIClient) -> None:
    reply = client.client.scopes.get()
    assert "mail.send" in reply.to_dict["scopes"]
    assert reply.headers["X-RateLimit-Limit"] == "600"


def test_a_letter_is_kept_as_its_reader_gets_it(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    request = message(
        2,
        custom_args={"nl_run": "1", "nl_issue": "overruled"},
        headers={"List-Id": "<news.example.com>"},
        reply_to={"email": "editors@news.example.com", "name": "Editors of -name-"},
    )
    one = request["personalizations"][1]
    one["to"][0]["email"] = "Reader1@Example.com"
    one["substitutions"] = {"-name-": "-name-x-", "-name-x-": "<b>never</b>", "Reader": "-name-"}
    one["headers"]["X-Note"] = "-name-"
    client.send(request)
    (line,) = sandbox.messages(to="READER1@example.com")
    letter = sandbox.message(line["id"])
    assert letter["to"] == "Reader1@Example.com"
    assert letter["sender"] == "Technology Daily <daily@news.example.com>"
    assert letter["reply_to"] == "Editors of -name-x- <editors@news.example.com>"
    assert letter["subject"] == line["subject"] == "News for -name-x-"
    assert letter["text"] == "Good morning, -name-x-."
    assert "Good morning, -name-x-.</p>" in letter["html"]
    assert letter["headers"] == {
        "List-Id": "<news.example.com>",
        "List-Unsubscribe": "<https://news.example.com/leave/1>",
        "X-Note": "-name-",
    }
    assert letter["custom_args"] == {"nl_run": "1", "nl_issue": "7", "nl_delivery": "1"}


def test_messages_are_listed_newest_first_page_by_page(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    client.send(message(5))
    listed = sandbox.call("GET", "/sandbox/messages?limit=2&offset=1")
    assert listed["total"] == 5
    assert [m["to"] for m in listed["messages"]] == ["reader3@example.com", "reader2@example.com"]


def test_a_double_send_shows_as_repeated(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    client.send(message(3))
    again = message(2)
    again["personalizations"][1]["custom_args"]["nl_issue"] = "8"
    client.send(again)
    stats = sandbox.stats()
    assert (stats["accepted_recipients"], stats["distinct_recipients"]) == (5, 3)
    assert stats["repeated"] == 1


def test_without_the_argument_an_issue_is_known_by_its_subject(
    start: Start, make_client: Connect, message: Make
) -> None:
    with start(issue_arg="edition", events=False) as sandbox:
        client = make_client(sandbox)
        for subject in ("Monday", "Tuesday", "Monday"):
            client.send(message(subject=subject))
        assert sandbox.stats()["repeated"] == 1


def test_a_restart_keeps_letters_sums_and_key(
    start: Start, make_client: Connect, message: Make
) -> None:
    with start() as sandbox:
        make_client(sandbox).send(message(3))
        sandbox.flush()
        before = sandbox.public_key, sandbox.stats(), sandbox.messages()
    with start() as sandbox:
        assert (sandbox.public_key, sandbox.stats(), sandbox.messages()) == before
        assert sandbox.message(before[2][0]["id"])["text"] == "Good morning, Reader 2."


def test_what_was_accepted_survives_a_kill(
    start: Start, make_client: Connect, message: Make
) -> None:
    with start() as sandbox:
        make_client(sandbox).send(message(3))
        sandbox.kill()
    with start() as sandbox:
        assert sandbox.stats()["accepted_recipients"] == len(sandbox.messages()) == 3


def test_a_sink_checks_and_counts_and_keeps_nothing(
    start: Start, make_client: Connect, message: Make
) -> None:
    with start(sink=True) as sandbox:
        client = make_client(sandbox)
        client.send(message(1000))
        with pytest.raises(exceptions.BadRequestsError):
            client.send(message(subject=""))
        stats = sandbox.stats()
        assert (stats["requests"], stats["accepted_recipients"]) == (2, 1000)
        assert sandbox.messages() == []


def test_clearing_forgets_letters_and_sums(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    client.send(message())
    sandbox.clear()
    assert sandbox.messages() == []
    assert sandbox.stats()["requests"] == 0


def test_an_address_may_be_set_to_be_bad(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    sandbox.fail({"kind": "bad_address", "pattern": "reader[24]@.*"})
    with pytest.raises(exceptions.BadRequestsError) as refused:
        client.send(message(6))
    places = [error["field"] for error in refused.value.to_dict["errors"]]
    assert places == ["personalizations.2.to.0.email", "personalizations.4.to.0.email"]


def test_it_listens_on_loopback_only(start: Start) -> None:
    for host in ("0.0.0.0", "192.0.2.1", "::1", "example.com"):
        with pytest.raises(ValueError, match="loopback"):
            start(host=host)


def test_a_stand_in_that_cannot_start_says_so(
    sandbox: Sandbox, start: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    taken = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(RuntimeError, match="did not start"), start(port=taken):
        pass
    assert "in use" in capfd.readouterr().err


def test_after_stopping_nobody_answers(start: Start) -> None:
    with start() as sandbox:
        url = sandbox.url
    with pytest.raises(urllib.error.URLError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2)
