"""Payloads without addresses, pauses that grow within a day, and which addresses take events."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from newsletter.core.webhook import (
    CHOICES,
    PayloadPlaces,
    WebhookEvent,
    WebhookEventKind,
    payload,
    webhook_secret,
    why_unfit_endpoint,
)
from newsletter.core.webhook_delivery import (
    TRIES,
    WebhookAnswer,
    WebhookClaim,
    WebhookDeliveryState,
    disposition_after,
    pause_after,
    signed_headers,
)

AT = datetime(2026, 11, 27, 5, tzinfo=UTC)
PLACES = PayloadPlaces(api="https://console.example.com/api/v1", web="https://news.example.com")
EMAILS = st.emails(domains=st.just("example.com"))
TEXTS = st.text() | st.builds("{} {} {}".format, st.text(), EMAILS, st.text())
FACTS = st.dictionaries(st.sampled_from(["reason", "how"]), TEXTS | st.lists(TEXTS))


def event(kind: WebhookEventKind = WebhookEventKind.ISSUE_PAUSED, **facts: object) -> WebhookEvent:
    return WebhookEvent(key="0" * 32, kind=kind, newsletter="daily", at=AT, facts=facts)


@given(kind=st.sampled_from(CHOICES), facts=FACTS)
def test_no_payload_holds_an_address_that_nobody_asked_for(kind: WebhookEventKind, facts: dict):
    said = payload(event(kind, **facts), PLACES, "daily")
    assert "@example.com" not in json.dumps(said)
    assert said.keys() == {"id", "type", "timestamp", "data"}
    assert (said["type"], said["timestamp"]) == (kind.value, "2026-11-27T05:00:00Z")


def test_a_payload_says_where_the_api_says_more():
    said = payload(event(brief={"id": 7}, reader={"id": 9}), PLACES, "daily", "a@example.com")
    assert said["data"]["links"] == {
        "brief": "https://console.example.com/api/v1/briefs/7",
        "reader": "https://console.example.com/api/v1/readers/9",
    }
    assert said["data"]["reader"] == {"id": 9, "email": "a@example.com"}


@given(spreads=st.lists(st.floats(0, 1), min_size=TRIES - 1, max_size=TRIES - 1))
def test_pauses_grow_and_the_last_try_is_within_a_day(spreads: list[float]):
    pauses = [pause_after(tries, spread) for tries, spread in enumerate(spreads, start=1)]
    assert all(pauses)
    assert all(later > sooner for sooner, later in pairwise(pauses))
    assert timedelta(hours=21) < sum(pauses, timedelta()) <= timedelta(hours=24)
    assert pause_after(TRIES, 0.5) is None
    assert pause_after(TRIES + 1, 0.5) is None


def claim(kind: WebhookEventKind = WebhookEventKind.ISSUE_LEFT, tries: int = 1) -> WebhookClaim:
    return WebhookClaim(
        delivery_id=1, tries=tries, endpoint_id=1, endpoint="one", url="https://hooks.example.com/",
        secrets=(), newsletters=frozenset(), event=event(kind),
    )  # fmt: skip


@given(status=st.none() | st.integers(100, 599), tries=st.integers(1, TRIES + 1))
def test_only_a_success_delivers_and_only_the_last_failure_or_gone_gives_up(
    status: int | None, tries: int
):
    found = disposition_after(WebhookAnswer(status=status), claim(tries=tries), 0.5)
    success = status is not None and 200 <= status <= 299
    over = status == 410 or tries >= TRIES
    state = WebhookDeliveryState
    assert found.state is (
        state.DELIVERED if success else state.GIVEN_UP if over else state.WAITING
    )
    assert (found.pause is not None) == (found.state is state.WAITING)
    assert bool(found.endpoint_state) == (status == 410)


def test_a_ping_is_tried_once_and_pauses_nothing():
    for status in (None, 410, 500):
        found = disposition_after(WebhookAnswer(status=status), claim(WebhookEventKind.PING), 0)
        assert (found.state, found.endpoint_state) == (WebhookDeliveryState.GIVEN_UP, None)


@given(keys=st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=2), words=st.text())
def test_every_secret_signs_as_the_specification_says(keys: list[bytes], words: str):
    secrets, body = list(map(webhook_secret, keys)), json.dumps(words).encode()
    assert secrets[0] == f"whsec_{b64encode(keys[0]).decode()}"
    headers = signed_headers("evt_1", AT, body, secrets)
    signed = [Webhook(one).sign("evt_1", AT, body.decode()) for one in secrets]
    assert headers["webhook-signature"].split(" ") == signed
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))


@pytest.mark.parametrize(
    ("url", "fits", "fits_in_practice"),
    [
        ("https://hooks.example.com/a?b=c", True, True),
        ("http://127.0.0.1:8000/", False, True),
        ("http://localhost/", False, True),
        ("http://[::1]:9/", False, True),
        ("http://10.0.0.1/", False, False),
        ("http://hooks.example.com/", False, False),
        ("https:///path", False, False),
        ("https://münchen.example/", False, False),
        ("https://hooks.example.com/" + "x" * 2000, False, False),
    ],
)
def test_events_leave_by_https_but_on_this_machine_in_practice(
    url: str, fits: bool, fits_in_practice: bool
):
    assert (why_unfit_endpoint(url, practice=False) is None) == fits
    assert (why_unfit_endpoint(url, practice=True) is None) == fits_in_practice
