"""The event webhook's reader: the signature first, then every word of SendGrid's in ours."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from newsletter.adapters.sendgrid import webhook
from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.core.delivery import DeliveryKey
from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.errors import ConfigurationError, EventNotAuthentic
from tests.signing import SIGNATURE, TIMESTAMP, Seal, body_of

SEAL = Seal()
SOURCE = SendGridEvents(SEAL.public_key)

DELIVERED = {
    "email": "reader@example.com",
    "timestamp": 1795000000,
    "event": "delivered",
    "sg_event_id": "ZGVsaXZlcmVk",
    "sg_message_id": "XBg2anf2TqCy6WXKQFhieQ.filter0905p1mdw1-4434-59E0C6FF-3.0",
    "smtp-id": "<XBg2anf2TqCy6WXKQFhieQ@ismtpd-1>",
    "category": "daily",
    "response": "250 2.0.0 OK",
    "nl_delivery": "1001",
    "nl_attempt": "attempt-1",
    "nl_installation": "0123456789abcdef",
    "nl_issue": "7",
}


def read(*events: Any) -> tuple[DeliveryEvent, ...]:
    body = body_of(*events)
    return SOURCE.read(body, SEAL.headers(body))


def read_one(**changes: Any) -> DeliveryEvent:
    [event] = read(DELIVERED | changes)
    return event


def test_an_event_says_which_delivery_when_and_what():
    raw = {name: value for name, value in DELIVERED.items() if name != "email"}
    assert read_one() == DeliveryEvent(
        event_id="ZGVsaXZlcmVk",
        kind=EventKind.DELIVERED,
        delivery=DeliveryKey(7, 1001),
        attempt_id="attempt-1",
        installation_id="0123456789abcdef",
        at=datetime.fromtimestamp(1795000000, UTC),
        reason="250 2.0.0 OK",
        raw=raw,
        email=DELIVERED["email"],
    )


@pytest.mark.parametrize(
    "posted, kind",
    [
        ({"event": "processed"}, EventKind.PROCESSED),
        ({"event": "dropped"}, EventKind.DROPPED),
        ({"event": "deferred"}, EventKind.DEFERRED),
        ({"event": "delivered"}, EventKind.DELIVERED),
        ({"event": "bounce", "type": "bounce"}, EventKind.BOUNCED),
        ({"event": "bounce"}, EventKind.BOUNCED),
        ({"event": "bounce", "type": "blocked"}, EventKind.SOFT_BOUNCED),
        ({"event": "bounce", "type": "expired"}, EventKind.SOFT_BOUNCED),
        ({"event": "open"}, EventKind.OPENED),
        ({"event": "open", "sg_machine_open": False}, EventKind.OPENED),
        ({"event": "open", "sg_machine_open": True}, EventKind.OPENED_BY_MACHINE),
        ({"event": "click", "sg_machine_open": True}, EventKind.CLICKED),
        ({"event": "spamreport"}, EventKind.COMPLAINED),
        ({"event": "unsubscribe"}, EventKind.UNSUBSCRIBED),
        ({"event": "group_unsubscribe"}, EventKind.UNSUBSCRIBED),
        ({"event": "group_resubscribe"}, EventKind.RESUBSCRIBED),
        ({"event": "account_status_change", "type": "reactivate"}, EventKind.ACCOUNT_CHANGED),
        ({"event": "read aloud"}, EventKind.UNKNOWN),
        ({"event": None}, EventKind.UNKNOWN),
        ({"event": ["open"]}, EventKind.UNKNOWN),
    ],
    ids=str,
)
def test_every_word_of_sendgrids_has_ours(posted, kind):
    assert read_one(**posted).kind is kind


def test_an_unknown_word_is_kept_with_all_that_came_with_it():
    event = read_one(event="read aloud", voice="warm")

    assert event.raw["voice"] == "warm"
    assert event.delivery == DeliveryKey(7, 1001)


def test_the_address_is_not_kept_not_even_in_a_servers_answer():
    event = read_one(
        event="bounce", reason="550 5.1.1 <Reader@example.com>: no such user", response=None
    )

    assert "email" not in event.raw
    assert event.reason == event.raw["reason"] == "550 5.1.1 <(the address)>: no such user"


def test_a_tampered_body_is_refused():
    body = body_of(DELIVERED)
    headers = SEAL.headers(body)

    SOURCE.read(body, headers)
    with pytest.raises(EventNotAuthentic):
        SOURCE.read(body.replace(b"1001", b"1002"), headers)


def test_the_line_end_is_signed_too():
    body = body_of(DELIVERED)
    assert body.endswith(b"\r\n")

    with pytest.raises(EventNotAuthentic):
        SOURCE.read(body.strip(), SEAL.headers(body))


@pytest.mark.parametrize(
    "spoiled",
    [
        {SIGNATURE: None},
        {TIMESTAMP: None},
        {SIGNATURE: None, TIMESTAMP: None},
        {SIGNATURE: ""},
        {SIGNATURE: "not base64!"},
        {SIGNATURE: "\u00e9\u00ff"},
        {SIGNATURE: "AAAA"},
        {TIMESTAMP: "1795000001"},
        {TIMESTAMP: "\u00e9"},
    ],
    ids=str,
)
def test_headers_that_do_not_vouch_are_refused(spoiled):
    body = body_of(DELIVERED)
    headers = {**SEAL.headers(body), **spoiled}

    with pytest.raises(EventNotAuthentic):
        SOURCE.read(body, {name: value for name, value in headers.items() if value is not None})


def test_another_key_does_not_vouch():
    body = body_of(DELIVERED)
    with pytest.raises(EventNotAuthentic):
        SOURCE.read(body, Seal().headers(body))


@pytest.mark.parametrize("key", [None, "", " , "])
def test_without_a_key_nothing_is_believed(key):
    body = body_of(DELIVERED)
    with pytest.raises(EventNotAuthentic, match="SENDGRID_WEBHOOK_KEY"):
        SendGridEvents(key).read(body, SEAL.headers(body))


def public_text(key: Any) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def test_a_key_that_is_none_is_named_when_the_container_opens():
    of_another_kind = public_text(ed25519.Ed25519PrivateKey.generate())
    for key in ("not a key", "AAAA", "\u00e9", of_another_kind, f"{SEAL.public_key},AAAA"):
        with pytest.raises(ConfigurationError, match="SENDGRID_WEBHOOK_KEY"):
            SendGridEvents(key)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"null", b"7", b'"[]"', b"[", b"\xff\xfe[", b"[" * 100_000],
    ids=lambda body: str(body)[:12],
)
def test_what_is_signed_but_no_array_of_events_is_refused(body):
    with pytest.raises(EventNotAuthentic, match="not a JSON array"):
        SOURCE.read(body, SEAL.headers(body))


def test_a_number_too_large_for_a_number_harms_nothing():
    body = b'[{"event": "open", "attempt": 1e999, "url_offset": {"index": -1e999}}]'
    [event] = SOURCE.read(body, SEAL.headers(body))
    assert event.raw == {"event": "open", "attempt": "inf", "url_offset": {"index": "-inf"}}


def test_an_empty_post_is_no_event():
    assert read() == ()


def test_neighbours_that_are_no_objects_do_no_harm():
    events = read(7, None, "delivered", [DELIVERED], DELIVERED, {}, True)

    kinds = [event.kind for event in events]
    assert kinds == [EventKind.UNKNOWN] * 4 + [EventKind.DELIVERED] + [EventKind.UNKNOWN] * 2
    assert [event.raw for event in events[:3]] == [
        {"posted": "7"},
        {"posted": "null"},
        {"posted": '"delivered"'},
    ]
    assert "reader@" not in str(events)


CLASSIFIED = [
    ("Reputation", EventKind.BLOCKED),
    ("Content", EventKind.BLOCKED),
    ("Frequency/Volume", EventKind.BLOCKED),
    ("Frequency or Volume Too High", EventKind.BLOCKED),
    ("Mailbox Unavailable", EventKind.SOFT_BOUNCED),
    ("Technical", EventKind.SOFT_BOUNCED),
    ("Unclassified", EventKind.SOFT_BOUNCED),
    (None, EventKind.SOFT_BOUNCED),
]


@pytest.mark.parametrize("word, kind", CLASSIFIED)
def test_a_block_for_what_we_are_says_nothing_of_the_mailbox(word, kind):
    assert read_one(event="bounce", type="blocked", bounce_classification=word).kind is kind
    assert read_one(event="bounce", type="bounce", bounce_classification=word).kind is (
        EventKind.BOUNCED
    )


PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
AGENTS = [
    (PHONE, EventKind.CLICKED),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36", EventKind.CLICKED),
    ("", EventKind.CLICKED),
    ("curl/8.5.0", EventKind.CLICKED_BY_MACHINE),
    ("python-requests/2.32", EventKind.CLICKED_BY_MACHINE),
    ("Mozilla/5.0 (compatible; Googlebot/2.1)", EventKind.CLICKED_BY_MACHINE),
    ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/130.0", EventKind.CLICKED_BY_MACHINE),
    ("Mozilla/5.0 (scanner; +https://scanner.example/about)", EventKind.CLICKED_BY_MACHINE),
]


@pytest.mark.parametrize("agent, kind", AGENTS)
def test_a_click_by_what_says_it_is_no_browser_is_a_machines(agent, kind):
    assert read_one(event="click", useragent=agent).kind is kind


def test_two_keys_are_believed_while_one_takes_over_from_the_other():
    other, stranger, body = Seal(), Seal(), body_of(DELIVERED)
    both = SendGridEvents(f"{SEAL.public_key}, {other.public_key}")

    for seal in (SEAL, other):
        assert both.read(body, seal.headers(body)) == read(DELIVERED)
    with pytest.raises(EventNotAuthentic):
        both.read(body, stranger.headers(body))


def test_a_post_that_is_repeated_a_day_later_is_still_believed():
    body = body_of(DELIVERED)
    assert SOURCE.read(body, SEAL.headers(body, timestamp="1")) == read(DELIVERED)


@pytest.mark.parametrize("event_id", [None, "", 0, "x" * 101, "nul\x00", "half \ud800"])
def test_an_event_without_a_usable_id_is_known_by_its_content(event_id):
    event = read_one(sg_event_id=event_id)

    assert len(event.event_id) == 64
    assert event.event_id == read_one(sg_event_id=event_id).event_id
    assert event.event_id != read_one(sg_event_id=event_id, timestamp=1795000001).event_id
    assert event.event_id != read_one(sg_event_id=event_id, email="other@example.org").event_id


@pytest.mark.parametrize(
    "moment", [None, "", "soon", -1, [], {}, 10**11, 10**30, 10**4000, True, float("nan"), "1e9"]
)
def test_a_moment_that_is_none_is_the_beginning_of_time(moment):
    assert read_one(timestamp=moment).at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        1795000000,
        "1795000000",
        1795000000.0,
        "1795000000.0",
        1795000000000,
        "1795000000000",
        1795000000000.0,
        1795000000000000,
        1795000000000000000,
    ],
)
def test_a_moment_is_in_unix_seconds_or_a_part_of_them(moment):
    assert read_one(timestamp=moment).at == datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)


def test_a_fraction_of_a_second_is_kept():
    assert read_one(timestamp="1795000000.25").at.microsecond == 250_000


@pytest.mark.parametrize(
    "oddity",
    [b'"port": ' + b"9" * 10_000, b'"timestamp": -' + b"9" * 10_000, b'"response": "caf\xe9"'],
)
def test_one_oddity_in_a_signed_post_leaves_its_neighbours_as_they_are(oddity):
    odd = b'{"event": "bounce", "sg_event_id": "odd", ' + oddity + b"}"
    body = b"[" + body_of(DELIVERED)[1:-3] + b", " + odd + b"]"

    first, second = SOURCE.read(body, SEAL.headers(body))

    assert first == read_one()
    assert (second.event_id, second.kind) == ("odd", EventKind.BOUNCED)
    json.dumps(second.raw, allow_nan=False).encode()


@pytest.mark.parametrize("given_id", [None, "", "abc", "-5", "1.0", "9" * 19, {}, False])
def test_a_delivery_that_is_no_number_is_no_delivery(given_id):
    assert read_one(nl_delivery=given_id).delivery is None
    assert read_one(nl_issue=given_id).delivery is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.lists(st.dictionaries(st.sampled_from(sorted(DELIVERED)) | st.text(), JSON), max_size=4)


@given(EVENTS)
def test_no_signed_event_makes_a_fault_and_each_can_be_kept(events):
    stored = read(*events)

    assert len(stored) == len(events)
    for event in stored:
        assert event.at.tzinfo is UTC
        assert 0 < len(event.event_id) <= 100
        # What PostgreSQL's jsonb takes: strict JSON, whole characters, and no NUL.
        text = json.dumps(event.raw, allow_nan=False, ensure_ascii=False)
        assert "\\u0000" not in text.replace("\\\\", "")
        (text + event.event_id + str(event.attempt_id) + event.reason).encode()


ODDITIES = [
    *(b"18446744073709551615", b"18446744073709551616", b"-9223372036854775809", b"9" * 5000),
    *(b"1e999", b"1E5", b"-0", b"-0.0", b"0.1", b"01", b"NaN", b"-Infinity", b"null", b"true"),
    *(b'"\\u0000"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\\\\u0000"', b'"NaN"', b'"\\u00e9"'),
    *(b'"\xed\xa0\x80"', b'"\xff"', b'"\xc3\xa9"', b'"\x00"', b'"\xef\xbb\xbf"', b"{}", b"[7]"),
]


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from([b'"event"', b'"a"', *ODDITIES]), st.sampled_from(ODDITIES))
        ),
        max_size=3,
    )
)
def test_what_is_read_the_quick_way_is_read_as_the_slow_way_would(events):
    objects = (b"{%b}" % b", ".join(b"%b: %b" % pair for pair in pairs) for pairs in events)
    body = b"[%b]" % b",".join(objects)

    quick = webhook._plain_objects(body)

    if quick is not None:
        text = webhook._decoded(body)
        assert json.dumps(quick) == json.dumps(webhook._objects(webhook._parsed(text)))
        assert not webhook._ODD.search(text)


@given(EVENTS)
def test_whichever_way_a_post_is_read_its_events_are_the_same(events):
    with patch.object(webhook, "_plain_objects", return_value=None):
        slow = read(*events)
    assert repr(read(*events)) == repr(slow)


def test_a_post_as_sendgrid_sends_it_is_read_the_quick_way():
    assert webhook._plain_objects(body_of(DELIVERED, DELIVERED | {"response": "caf\u00e9"}))
