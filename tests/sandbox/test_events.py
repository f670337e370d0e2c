"""The events of accepted letters: what they say, how they are signed, and that all of them come."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from newsletter.sandbox.event_sender import MAX_POST_BYTES, posts
from newsletter.sandbox.events import AcceptedRequest, LetterOutcome, Shares, events_of, outcome_of
from newsletter.sandbox.server import Sandbox

Make = Callable[..., dict[str, Any]]
Start = Callable[..., Sandbox]
Connect = Callable[..., SendGridAPIClient]
NONE = Shares(bounce=0, dropped=0, deferred=0, spamreport=0, click=0, open=0)


def accepted(message: dict[str, Any]) -> AcceptedRequest:
    return AcceptedRequest(
        request_id=3, message_id="m" * 22, accepted=1_800_000_000, message=message
    )


def events_for_outcome(make: Make, outcome: str, **changes: Any) -> list[dict[str, Any]]:
    message = make(**changes)
    message["personalizations"][0]["to"][0]["email"] = f"anyone+{outcome}@example.com"
    return events_of(accepted(message), NONE)


@pytest.mark.parametrize(
    "outcome, series",
    [
        ("delivered", ["processed", "delivered"]),
        ("deferred", ["processed", "deferred", "delivered"]),
        ("bounce", ["processed", "bounce"]),
        ("blocked", ["processed", "bounce"]),
        ("dropped", ["dropped"]),
        ("invalid", ["dropped"]),
        ("open", ["processed", "delivered", "open"]),
        ("click", ["processed", "delivered", "open", "click"]),
        ("spamreport", ["processed", "delivered", "spamreport"]),
        ("unsubscribe", ["processed", "delivered", "unsubscribe"]),
    ],
)
def test_an_outcome_is_shown_by_its_series_of_events(
    message: Make, outcome: str, series: list[str]
) -> None:
    events = events_for_outcome(message, outcome)
    assert [event["event"] for event in events] == series
    assert len({event["sg_event_id"] for event in events}) == len(series)


@pytest.mark.parametrize(
    "outcome, required",
    [
        ("delivered", {"response", "smtp-id", "ip", "tls"}),
        ("dropped", {"reason", "smtp-id"}),
        ("bounce", {"reason", "smtp-id", "status", "type", "bounce_classification"}),
        ("open", {"ip", "useragent", "sg_machine_open"}),
        ("click", {"ip", "useragent", "url", "url_offset"}),
    ],
)
def test_the_last_event_has_the_documented_fields(
    message: Make, outcome: str, required: set[str]
) -> None:
    event = events_for_outcome(message, outcome, categories=["daily"])[-1]
    assert required | {"email", "timestamp", "sg_message_id"} <= event.keys()
    assert (event["nl_issue"], event["category"]) == ("7", "daily")
    assert event["sg_message_id"].startswith("m" * 22 + ".recvd-")
    assert isinstance(event["timestamp"], int)


def test_values_have_the_documented_types(message: Make) -> None:
    deferred = events_for_outcome(message, "deferred", categories=["a", "b"])[1]
    assert deferred["attempt"] == "1"
    assert deferred["category"] == ["a", "b"]
    assert events_for_outcome(message, "bounce")[1]["type"] == "bounce"
    assert events_for_outcome(message, "blocked")[1]["type"] == "blocked"
    assert events_for_outcome(message, "dropped")[0]["reason"] == "Bounced Address"
    click = events_for_outcome(message, "click")[-1]
    assert click["url"] == "https://news.example.com/story"  # the other is not tracked
    assert click["url_offset"] == {"index": 1, "type": "html"}


def test_sendgrids_own_names_win_over_custom_arguments(message: Make) -> None:
    events = events_for_outcome(
        message, "delivered", custom_args={"event": "mine", "email": "mine"}
    )
    assert [event["event"] for event in events] == ["processed", "delivered"]
    assert {event["email"] for event in events} == {"anyone+delivered@example.com"}


def test_shares_come_true_over_many_addresses() -> None:
    shares = Shares()
    outcomes = Counter(outcome_of(f"reader{n}@example.com", shares) for n in range(20_000))
    opened = outcomes[LetterOutcome.OPEN] + outcomes[LetterOutcome.CLICK]
    for count, share in [
        (outcomes[LetterOutcome.BOUNCE], 0.02),
        (outcomes[LetterOutcome.DROPPED], 0.01),
        (outcomes[LetterOutcome.DEFERRED], 0.01),
        (outcomes[LetterOutcome.CLICK], 0.08),
        (opened, 0.30),
    ]:
        assert count / 20_000 == pytest.approx(share * 0.97, rel=0.2)


def test_machines_open_too_but_never_click(message: Make) -> None:
    request = message(200)
    opens = [
        event
        for event in events_of(accepted(request), Shares(open=1, click=0))
        if event["event"] == "open"
    ]
    machines = sum(event["sg_machine_open"] for event in opens)
    assert 0 < machines < len(opens) / 2
    clicks = events_of(accepted(request), Shares(open=1, click=1))
    assert not any(event.get("sg_machine_open") for event in clicks)


@given(seed=st.integers(), duplicates=st.floats(0, 1), shuffle=st.booleans())
def test_duplicates_and_shuffling_lose_nothing_and_repeat(
    seed: int, duplicates: float, shuffle: bool
) -> None:
    message = {"personalizations": [{"to": [{"email": f"r{n}@example.com"}]} for n in range(5)]}
    plain = events_of(accepted(message), NONE)
    choices = {"duplicates": duplicates, "shuffle": shuffle, "seed": seed}
    mixed = events_of(accepted(message), NONE, **choices)
    assert mixed == events_of(accepted(message), NONE, **choices)

    def natural(event: dict[str, Any]) -> str:
        return f"{event['email']} {event['event']}"

    assert set(map(natural, plain)) == set(map(natural, mixed))
    assert len(plain) <= len(mixed) <= 2 * len(plain)


@given(sizes=st.lists(st.integers(0, MAX_POST_BYTES // 3), max_size=12), most=st.integers(1, 4))
def test_posts_hold_every_event_once_and_keep_to_both_limits(sizes: list[int], most: int) -> None:
    events = [{"event": str(n), "fill": "x" * size} for n, size in enumerate(sizes)]
    cut = list(posts(events, most))
    assert [event for _, body in cut for event in json.loads(body)] == events
    for count, body in cut:
        assert len(json.loads(body)) == count <= most
        assert len(body) < MAX_POST_BYTES
        assert body.endswith(b"]\r\n")


def test_every_event_is_posted_signed(
    start: Start, make_client: Connect, message: Make, webhook: Any, tmp_path: Path
) -> None:
    with start(webhook_url=webhook.url, max_events=7) as sandbox:
        message_id = make_client(sandbox).send(message(20)).headers["X-Message-Id"]
        sandbox.flush()
        stats = sandbox.stats()["events"]
        key = sandbox.public_key
    assert stats["posted"] == len(webhook.events) >= 20
    assert stats["posts"] == len(webhook.posts)
    assert stats["pending_recipients"] == 0
    assert {event["nl_delivery"] for event in webhook.events} == {str(n) for n in range(20)}
    assert all(e["sg_message_id"].partition(".")[0] == message_id for e in webhook.events)
    assert key == (tmp_path / "public_key.txt").read_text().strip()
    loaded = serialization.load_der_public_key(base64.b64decode(key))
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    assert isinstance(loaded.curve, ec.SECP256R1)
    for headers, body in webhook.posts:
        signature = headers[EventWebhookHeader.SIGNATURE]
        timestamp = headers[EventWebhookHeader.TIMESTAMP]
        helper = EventWebhook(key)
        assert helper.verify_signature(body.decode(), signature, timestamp)
        assert not helper.verify_signature(body.decode() + " ", signature, timestamp)
        signed = timestamp.encode() + body
        loaded.verify(base64.b64decode(signature), signed, ec.ECDSA(hashes.SHA256()))


def test_refused_posts_are_tried_again(
    start: Start, make_client: Connect, message: Make, webhook: Any
) -> None:
    answers = iter([True, True])
    webhook.refuses = lambda _body: next(answers, False)
    with start(webhook_url=webhook.url) as sandbox:
        make_client(sandbox).send(message(3))
        sandbox.flush()
        assert sandbox.stats()["events"]["posts_refused"] == 2
    assert {event["nl_delivery"] for event in webhook.events} == {"0", "1", "2"}


def test_events_that_could_not_be_posted_wait_for_the_next_run(
    start: Start, make_client: Connect, message: Make, webhook: Any
) -> None:
    with start(webhook_url="http://127.0.0.1:1/") as sandbox:
        make_client(sandbox).send(message(3))
        assert sandbox.stats()["events"]["pending_recipients"] == 3
        assert sandbox.message(1)["events"] == []
    with start(webhook_url=webhook.url) as sandbox:
        sandbox.flush()
        assert sandbox.message(1)["events"]
    assert {event["nl_delivery"] for event in webhook.events} == {"0", "1", "2"}


def test_what_was_cleared_away_is_not_posted_any_more(
    start: Start, make_client: Connect, message: Make, webhook: Any
) -> None:
    webhook.refuses = lambda body: b"later" not in body
    with start(webhook_url=webhook.url) as sandbox:
        make_client(sandbox).send(message(3))
        sandbox.clear()
        later = message()
        later["personalizations"][0]["custom_args"]["nl_delivery"] = "later"
        make_client(sandbox).send(later)
        sandbox.flush()
    assert {event["nl_delivery"] for event in webhook.events} == {"later"}


def test_without_events_nothing_happens_to_a_letter(
    start: Start, make_client: Connect, message: Make, webhook: Any
) -> None:
    with start(webhook_url=webhook.url, events=False) as sandbox:
        make_client(sandbox).send(message(3))
        sandbox.flush()
        assert sandbox.message(1)["events"] == []
    assert webhook.posts == []


def test_suppression_lists_hold_what_the_events_said(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    outcomes = ["bounce", "blocked", "dropped", "invalid", "spamreport", "unsubscribe", "delivered"]
    request = message(len(outcomes))
    for one, outcome in zip(request["personalizations"], outcomes, strict=True):
        one["to"][0]["email"] = f"anyone+{outcome}@example.com"
    client.send(request)
    sandbox.flush()

    def listed(name: str, **query: int) -> list[dict[str, Any]]:
        return client.client.suppression._(name).get(query_params=query).to_dict

    def tags(name: str, **query: int) -> list[str]:
        return [
            row["email"].partition("@")[0].removeprefix("anyone+") for row in listed(name, **query)
        ]

    assert tags("bounces") == ["bounce", "dropped"]
    assert tags("bounces", limit=1, offset=1) == ["dropped"]
    assert tags("blocks") == ["blocked"]
    assert tags("invalid_emails") == ["invalid"]
    assert tags("spam_reports") == ["spamreport"]
    assert tags("unsubscribes") == ["unsubscribe"]
    first = listed("bounces")[0]
    assert first["status"] == "5.1.1"
    assert tags("bounces", start_time=first["created"], end_time=first["created"])
    assert tags("bounces", start_time=first["created"] + 1) == []
    assert tags("bounces", end_time=first["created"] - 1) == []


def test_a_share_is_between_none_and_all() -> None:
    with pytest.raises(ValueError, match="bounce"):
        Shares(bounce=1.1)
