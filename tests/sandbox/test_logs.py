"""Email Logs of the sandbox: exactly the documented filters, and what was accepted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from python_http_client import exceptions
from sendgrid import SendGridAPIClient

from newsletter.sandbox.logs import read_query
from newsletter.sandbox.routing import CallError
from newsletter.sandbox.server import Sandbox

Make = Callable[..., dict[str, Any]]


def search(
    client: SendGridAPIClient, query: str | None = None, **more: Any
) -> list[dict[str, Any]]:
    body = more if query is None else {"query": query, **more}
    return client.client.logs.post(request_body=body).to_dict["messages"]


def details(client: SendGridAPIClient, message_id: str) -> dict[str, Any]:
    return client.client.logs._(message_id).get().to_dict


def moment(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_letter_is_found_by_each_field_and_not_by_another(
    client: SendGridAPIClient, message: Make
) -> None:
    client.send(message(3, categories=["day-1", "news"]))
    client.send({**message(1, categories=["day-2"], subject="Other"), "personalizations": [
        {"to": [{"email": "Other@example.com"}]}]})  # fmt: skip

    def found(query: str) -> list[str]:
        return sorted(one["to_email"] for one in search(client, query))

    readers = [f"reader{n}@example.com" for n in range(3)]
    assert found("categories IN ('day-1')") == readers
    assert found("categories IN ('nothing', 'news')") == readers
    assert found("to_email = 'reader1@example.com'") == readers[1:2]
    assert found("subject = 'News for Reader 2'") == readers[2:]
    assert found("to_email = 'Other@example.com'") == ["Other@example.com"]
    assert found("to_email = 'other@example.com'") == []  # queries are case-sensitive
    assert found("categories IN ('day-2') AND to_email = 'reader1@example.com'") == []
    assert found(f'sg_message_id_created_at < TIMESTAMP "{moment(minutes=-1)}"') == []
    since = f'sg_message_id_created_at >= TIMESTAMP "{moment(minutes=-1)}"'
    until = f'sg_message_id_created_at <= TIMESTAMP "{moment(minutes=1)}"'
    assert found(f"{since} AND {until} AND categories IN ('day-1')") == readers


def test_details_name_the_custom_arguments_apart(client: SendGridAPIClient, message: Make) -> None:
    reply = client.send(message(2, categories=["day-1"], custom_args={"nl_attempt": "a"}))
    [line] = search(client, "to_email = 'reader1@example.com'")
    assert line["sg_message_id"].startswith(reply.headers["X-Message-Id"] + ".")
    assert datetime.fromisoformat(line["sg_message_id_created_at"]).tzinfo

    found = details(client, line["sg_message_id"])
    args = {"nl_attempt": "a", "nl_delivery": "1", "nl_issue": "7"}
    assert found["custom_args"] == args
    assert (found["to_email"], found["category"]) == ("reader1@example.com", ["day-1"])
    assert {"api_key_id", "client_ip", "events", "from_email", "status", "subject"} <= found.keys()


def test_a_status_sums_up_the_events(start, make_client, message: Make, webhook) -> None:
    with start(webhook_url=webhook.url) as sandbox:
        client = make_client(sandbox)
        request = message(1)
        request["personalizations"] = [
            {
                "to": [{"email": f"reader+{outcome}@example.com"}],
                "custom_args": {"nl_delivery": "1"},
            }
            for outcome in ("bounce", "blocked", "dropped", "delivered", "click")
        ]
        client.send(request)
        sandbox.flush()
        found = {one["to_email"].partition("@")[0][7:]: one for one in search(client)}
        statuses = {outcome: one["status"] for outcome, one in found.items()}
        assert statuses == {
            "bounce": "bounced",
            "blocked": "blocked",
            "dropped": "dropped",
            "delivered": "delivered",
            "click": "delivered",
        }
        assert found["bounce"]["reason"].startswith("550 5.1.1")
        events = details(client, found["bounce"]["sg_message_id"])["events"]
        assert [one["event"] for one in events] == ["processed", "bounce"]
        assert all(one["custom_args"] == {"nl_delivery": "1"} for one in events)
        assert "nl_delivery" not in events[0]


def test_the_newest_come_first_and_no_more_than_asked_for(
    client: SendGridAPIClient, message: Make
) -> None:
    client.send(message(12))
    assert len(search(client)) == 10  # by default
    assert [one["to_email"] for one in search(client, limit=1)] == ["reader11@example.com"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "to_email",
        "to_email = reader@example.com",
        'to_email = "reader@example.com"',
        "to_email IN ('reader@example.com')",
        "to_email = 'o''hara@example.com'",
        "TO_EMAIL = 'reader@example.com'",
        "categories = 'day-1'",
        "categories in ('day-1')",
        "categories IN ()",
        "categories IN ('day-1'",
        "status IN ('sent')",
        "custom_args = 'a'",
        "from_email = 'a@example.com'",
        "reason = 'x' OR reason = 'y'",
        "reason = 'x' and reason = 'y'",
        "reason = 'x' AND",
        "(reason = 'x')",
        'sg_message_id_created_at = TIMESTAMP "2026-01-01T00:00:00Z"',
        "sg_message_id_created_at > '2026-01-01T00:00:00Z'",
        'sg_message_id_created_at > TIMESTAMP "yesterday"',
        'sg_message_id_created_at > TIMESTAMP "2026-13-01T00:00:00Z"',
        'sg_message_id_created_at > TIMESTAMP "2026-01-01T00:00:00"',
    ],
)
def test_what_is_not_documented_is_no_query(query: str) -> None:
    with pytest.raises(CallError):
        read_query(query)


@pytest.mark.parametrize(
    "body",
    [[], {"limit": 0}, {"limit": 1001}, {"limit": "9"}, {"query": 7}, {"query": "x"}, {"page": 1}],
)
def test_a_search_that_makes_no_sense_is_refused(client: SendGridAPIClient, body: Any) -> None:
    with pytest.raises(exceptions.BadRequestsError):
        client.client.logs.post(request_body=body)


@pytest.mark.parametrize("message_id", ["nothing", f"{'m' * 22}.recvd-sandbox-1.0"])
def test_a_message_that_never_was_is_not_found(client: SendGridAPIClient, message_id: str) -> None:
    with pytest.raises(exceptions.NotFoundError):
        details(client, message_id)


def test_a_key_may_be_kept_from_them_and_calls_may_be_too_many(
    start, make_client, message: Make
) -> None:
    with start(logs=False) as sandbox:
        client = make_client(sandbox)
        assert client.send(message()).status_code == 202
        with pytest.raises(exceptions.ForbiddenError):
            search(client)
        with pytest.raises(exceptions.ForbiddenError):
            details(client, "any")


def test_what_was_accepted_is_shown_after_the_delay_chosen(
    start: Callable[..., Sandbox], make_client, message: Make
) -> None:
    with start(logs_delay=3600, logs_per_minute=1) as sandbox:
        client = make_client(sandbox)
        client.send(message())
        assert search(client) == []
        with pytest.raises(exceptions.TooManyRequestsError):
            search(client)
