"""What mail/send refuses, row by row, and the last value on the right side of each limit."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sandbox.validation import check

NOW = 1_800_000_000
Make = Callable[..., dict[str, Any]]


def fields(message: Any) -> list[str | None]:
    """The places named as wrong."""
    return [problem.field for problem in check(json.dumps(message).encode(), NOW).problems]


def to(*emails: str) -> list[dict[str, str]]:
    return [{"email": email} for email in emails]


#: a change to the one personalization of a sound request, and the place it is refused with
PERSONALIZATION_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"to": []}, "to"),
    ({"to": None}, "to"),
    ({"to": ["a@example.com"]}, "to.0"),
    ({"to": to("no address")}, "to.0.email"),
    ({"to": to("a@example")}, "to.0.email"),
    ({"to": to("a..b@example.com")}, "to.0.email"),
    ({"to": to("a@-example.com")}, "to.0.email"),
    ({"to": to("ä@example.com")}, "to.0.email"),
    ({"to": to(f"{'a' * 65}@example.com")}, "to.0.email"),
    ({"to": [{"name": "no address"}]}, "to.0.email"),
    ({"to": [{"email": "a@example.com", "name": 5}]}, "to.0.name"),
    ({"to": [{"email": "a@example.com", "kind": "x"}]}, "to.0.kind"),
    ({"to": to("a@example.com", "A@Example.com")}, ""),
    ({"to": to("a@example.com"), "bcc": to("a@example.com")}, ""),
    ({"cc": to("no address")}, "cc.0.email"),
    ({"bcc": {}}, "bcc"),
    ({"subject": ""}, "subject"),
    ({"subject": 5}, "subject"),
    ({"headers": []}, "headers"),
    ({"headers": {"X-Count": 5}}, "headers.X-Count"),
    ({"headers": {"X Count": "5"}}, "headers.X Count"),
    ({"headers": {"X-Größe": "5"}}, "headers.X-Größe"),
    ({"headers": {"X-A": "one\r\nX-B: two"}}, "headers.X-A"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, "headers"),
    ({"substitutions": {"-n-": 5}}, "substitutions.-n-"),
    ({"substitutions": {"-n-": None}}, "substitutions.-n-"),
    ({"substitutions": ["-n-"]}, "substitutions"),
    ({"custom_args": {}}, "custom_args"),
    ({"custom_args": {"nl_issue": 7}}, "custom_args.nl_issue"),
    ({"send_at": "1800000000"}, "send_at"),
    ({"send_at": True}, "send_at"),
    ({"from": {"email": "daily@other.example.com"}}, "from.email"),
    ({"dynamic_template_data": []}, "dynamic_template_data"),
    ({"categories": ["daily"]}, "categories"),
    ({"content": []}, "content"),
    ({"reply_to": {"email": "a@example.com"}}, "reply_to"),
    ({"sections": {"-a-": "b"}}, "sections"),
]


@pytest.mark.parametrize("change, place", PERSONALIZATION_ROWS)
def test_a_wrong_personalization_is_refused_with_its_place(
    message: Make, change: dict[str, Any], place: str
) -> None:
    request = message()
    request["personalizations"][0] |= change
    assert fields(request) == [f"personalizations.0.{place}".rstrip(".")]


TEXT = {"type": "text/plain", "value": "x"}
HTML = {"type": "text/html", "value": "x"}
CALENDAR = {"type": "text/calendar", "value": "x"}

#: a change to the message around it
MESSAGE_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"personalizations": []}, "personalizations"),
    ({"personalizations": None}, "personalizations"),
    ({"personalizations": ["x"]}, "personalizations.0"),
    ({"from": None}, "from"),
    ({"from": {"email": "düsseldorf@news.example.com"}}, "from.email"),
    ({"subject": ""}, "subject"),
    ({"subject": ["x"]}, "subject"),
    ({"content": []}, "content"),
    ({"content": None}, "content"),
    ({"content": [HTML, TEXT]}, "content"),
    ({"content": [CALENDAR, HTML]}, "content"),
    ({"content": ["x"]}, "content.0"),
    ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
    ({"content": [{"type": "text/html; charset=utf-8", "value": "x"}]}, "content.0.type"),
    ({"reply_to": {"email": "nobody"}}, "reply_to.email"),
    ({"reply_to_list": to("nobody")}, "reply_to_list.0.email"),
    ({"reply_to_list": to("a@example.com", "A@example.com")}, "reply_to_list"),
    (
        {"reply_to_list": to("a@example.com"), "reply_to": {"email": "b@example.com"}},
        "reply_to_list",
    ),
    ({"headers": {"X-A": None}}, "headers.X-A"),
    ({"categories": "daily"}, "categories"),
    ({"categories": ["daily", "daily"]}, "categories"),
    ({"categories": ["täglich"]}, "categories.0"),
    ({"custom_args": {}}, "custom_args"),
    ({"custom_args": {"nl_issue": 7}}, "custom_args.nl_issue"),
    ({"asm": {}}, "asm.group_id"),
    ({"asm": {"group_id": "5"}}, "asm.group_id"),
    ({"ip_pool_name": "x"}, "ip_pool_name"),
    ({"template_id": 5}, "template_id"),
    ({"attachments": [{"content": "eA=="}]}, "attachments.0.filename"),
    (
        {"tracking_settings": {"click_tracking": {"enable": "yes"}}},
        "tracking_settings.click_tracking.enable",
    ),
    ({"tracking_settings": {"bee_tracking": {"enable": True}}}, "tracking_settings.bee_tracking"),
    ({"mail_settings": {"sandbox_mode": {"enable": "true"}}}, "mail_settings.sandbox_mode.enable"),
    ({"sections": {"-a-": "b"}}, "sections"),
    ({"substitutions": {"-a-": "b"}}, "substitutions"),
]


@pytest.mark.parametrize("change, place", MESSAGE_ROWS)
def test_a_wrong_message_is_refused_with_its_place(
    message: Make, change: dict[str, Any], place: str
) -> None:
    assert fields(message(**change)) == [place]


def _filled(key: str, size: int) -> dict[str, str]:
    return {key: "x" * (size - len(key))}


def _personal(**change: Any) -> Callable[[Make], dict[str, Any]]:
    def build(make: Make) -> dict[str, Any]:
        request = make()
        request["personalizations"][0] |= change
        return request

    return build


def _readers(count: int) -> list[dict[str, str]]:
    return to(*(f"r{n}@example.com" for n in range(count)))


#: the last value that is accepted, the first that is not, and the place it is refused with
LIMITS: list[tuple[Callable[[int], Callable[[Make], dict[str, Any]]], int, str]] = [
    (lambda n: lambda make: make(n), 1_000, "personalizations"),
    (lambda n: _personal(to=_readers(n)), 1_000, "personalizations"),
    (
        lambda n: _personal(to=_readers(1), cc=to("c@example.com"), bcc=_readers(n)[2:]),
        1_000,
        "personalizations",
    ),
    (
        lambda n: _personal(substitutions=_filled("-a-", n)),
        10_000,
        "personalizations.0.substitutions",
    ),
    (
        lambda n: _personal(substitutions={"-a-": "é" * ((n - 3) // 2), "": "x" * ((n - 3) % 2)}),
        10_000,
        "personalizations.0.substitutions",
    ),
    (
        lambda n: _personal(substitutions={f"-{i}-": "x" for i in range(n)}),
        150,
        "personalizations.0.substitutions",
    ),
    (
        lambda n: _personal(custom_args=_filled("a", n)),
        9_999,
        "personalizations.0.custom_args",
    ),
    (lambda n: _personal(send_at=n), NOW + 72 * 3600, "personalizations.0.send_at"),
    (lambda n: lambda make: make(send_at=n), NOW + 72 * 3600, "send_at"),
    (lambda n: lambda make: make(categories=[f"c{i}" for i in range(n)]), 10, "categories"),
    (lambda n: lambda make: make(categories=["c" * n]), 255, "categories.0"),
    (lambda n: lambda make: make(reply_to_list=_readers(n)), 1000, "reply_to_list"),
    (
        lambda n: lambda make: make(asm={"group_id": 1, "groups_to_display": [1] * n}),
        25,
        "asm.groups_to_display",
    ),
    (lambda n: lambda make: make(ip_pool_name="p" * n), 64, "ip_pool_name"),
]


@pytest.mark.parametrize("build, last, place", LIMITS)
def test_each_limit_holds_to_the_last_unit(
    message: Make, build: Callable[[int], Callable[[Make], dict[str, Any]]], last: int, place: str
) -> None:
    assert fields(build(last)(message)) == []
    assert fields(build(last + 1)(message)) == [place]


def test_custom_args_are_measured_merged(message: Make) -> None:
    request = message(custom_args=_filled("a", 6000))
    request["personalizations"][0]["custom_args"] = _filled("b", 6000)
    assert fields(request) == ["personalizations.0.custom_args"]
    request["personalizations"][0]["custom_args"] = _filled("a", 6000)
    assert fields(request) == []


@pytest.mark.parametrize(
    "name",
    [
        *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "Content-Type"),
        *("Content-Transfer-Encoding", "To", "From", "Subject", "Reply-To", "CC", "BCC"),
    ],
)
def test_reserved_headers_are_refused_in_any_case(message: Make, name: str) -> None:
    request = message(headers={name.upper(): "x"})
    request["personalizations"][0]["headers"] = {name: "x"}
    assert fields(request) == [f"headers.{name.upper()}", f"personalizations.0.headers.{name}"]


def test_every_problem_is_named_at_once(message: Make) -> None:
    request = message(5, subject="")
    request["personalizations"][1]["to"] = to("nobody")
    request["personalizations"][3]["substitutions"] = {"-n-": 1}
    assert fields(request) == [
        "subject",
        "personalizations.1.to.0.email",
        "personalizations.3.substitutions.-n-",
    ]


def test_an_address_may_come_only_once_in_the_whole_request(message: Make) -> None:
    request = message(3)
    request["personalizations"][2]["to"] = to("READER0@example.com")
    assert fields(request) == ["personalizations.2"]


def test_a_subject_is_needed_in_the_message_or_in_every_personalization(message: Make) -> None:
    request = message(2)
    del request["subject"]
    request["personalizations"][0]["subject"] = "Hello"
    assert fields(request) == ["personalizations.1.subject"]
    request["personalizations"][1]["subject"] = "Hello"
    assert fields(request) == []


def test_a_template_stands_for_subject_and_content(message: Make) -> None:
    request = message(template_id="d-1")
    del request["subject"], request["content"]
    assert fields(request) == []


def test_a_time_in_the_past_means_at_once(message: Make) -> None:
    assert fields(message(send_at=1)) == []


def test_addresses_set_to_be_bad_are_refused_in_sendgrids_words(message: Make) -> None:
    body = json.dumps(message(3)).encode()
    problems = check(body, NOW, re.compile(r"reader[12]@.*")).problems
    assert [p.field for p in problems] == [f"personalizations.{n}.to.0.email" for n in (1, 2)]
    assert {p.message for p in problems} == {"Does not contain a valid address."}
    assert check(body, NOW, re.compile("reader1")).problems == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": "\\ud800"}', b"[" * 9**5],
)
def test_what_is_no_json_object_is_a_bad_request_without_a_place(body: bytes) -> None:
    assert [problem.field for problem in check(body, NOW).problems] == [None]


def test_a_character_beyond_the_basic_plane_is_welcome(message: Make) -> None:
    assert fields(message(subject="\N{ROCKET} launched")) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("personalizations", "from", "subject", "content", "headers", "categories", "send_at"),
        *("custom_args", "asm", "reply_to", "reply_to_list", "ip_pool_name", "mail_settings"),
        *("tracking_settings", "attachments", "template_id"),
    ]
)
PERSONAL_KEYS = st.sampled_from(
    [
        *("to", "cc", "bcc", "from", "subject", "headers", "substitutions", "custom_args"),
        *("send_at", "dynamic_template_data"),
    ]
)


@given(
    top=st.dictionaries(KEYS, JSON, max_size=3),
    one=st.dictionaries(PERSONAL_KEYS, JSON, max_size=3),
)
def test_no_shape_of_request_makes_the_checks_stumble(
    top: dict[str, Any], one: dict[str, Any]
) -> None:
    checked = check(json.dumps({"personalizations": [one], **top}).encode(), NOW)
    assert checked.problems  # such a request always lacks something
