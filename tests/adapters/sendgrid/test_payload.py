"""The body of mail/send: its shape, its limits, and what each recipient finds in it."""

import json
import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.adapters.sendgrid.payload import mail_send
from newsletter.core.delivery import BATCH_LIMIT, Recipient
from newsletter.core.edition import ADDRESS_HTML, ADDRESS_TEXT, RECIPIENT_TAGS, UNSUBSCRIBE_URL
from newsletter.core.mailing import Links
from subscribers.model import Purpose
from subscribers.tokens import check_token, read_token
from tests.adapters.sendgrid.conftest import claim_for, recipient
from tests.settings import BASE_URL

#: What mail/send lets nobody set (API reference, mail-send/errors).
RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type",
    "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip


def strings_in(value) -> list:
    """Return every leaf of a JSON value that is not a truth value."""
    if isinstance(value, dict):
        return [leaf for part in (*value, *value.values()) for leaf in strings_in(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in strings_in(part)]
    return [] if isinstance(value, bool) else [value]


def test_a_newsletter_switches_off_what_is_tracked(envelope, letter):
    settings = mail_send(replace(envelope, opens=False, clicks=False), letter, claim_for())[
        "tracking_settings"
    ]
    assert not any(one["enable"] for one in settings.values())


def test_the_request_has_just_the_documented_parts(envelope, letter):
    body = mail_send(envelope, letter, claim_for())
    url = envelope.links.unsubscribe(recipient(1))
    token = url.rpartition("/")[2]

    assert body == {
        "personalizations": body["personalizations"],
        "from": {"email": "daily@news.example.com", "name": "Technology Daily"},
        "reply_to": {"email": "editors@news.example.com", "name": "Technology Daily"},
        "subject": letter.subject,
        "content": [
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": letter.html},
        ],
        "categories": ["nl-issue-7-0123456789abcdef"],
        "headers": {"List-Id": "Technology Daily <technology.news.example.com>"},
        "tracking_settings": {
            "click_tracking": {"enable": True, "enable_text": False},
            "open_tracking": {"enable": True},
            "subscription_tracking": {"enable": False},
        },
    }
    assert body["personalizations"][0] == {
        "to": [{"email": "reader-1@example.com"}],
        "headers": {
            "List-Unsubscribe": f"<{url}>, <mailto:unsubscribe@news.example.com?subject={token}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "substitutions": {
            "-nl_unsubscribe_url-": url,
            "-nl_preferences_url-": envelope.links.preferences(recipient(1)),
            "-nl_address_html-": "reader-1@example.com",
            "-nl_address_text-": "reader-1@example.com",
        },
        "custom_args": {
            "nl_installation": "0123456789abcdef",
            "nl_attempt": "attempt-of-the-test",
            "nl_issue": "7",
            "nl_delivery": "1001",
        },
    }


def test_every_leaf_is_a_string(envelope, letter):
    assert {type(leaf) for leaf in strings_in(mail_send(envelope, letter, claim_for()))} == {str}


def test_places_follow_the_order_of_the_recipients(envelope, letter):
    claim = claim_for(*(f"r{n}@example.com" for n in (9, 2, 7, 1)))
    asked = [
        one["to"][0]["email"] for one in mail_send(envelope, letter, claim)["personalizations"]
    ]

    assert asked == [one.email for one in claim.recipients]


def test_no_header_is_reserved_and_none_holds_a_tag_or_a_line_end(envelope, letter):
    body = mail_send(envelope, letter, claim_for())
    for headers in (body["headers"], *(one["headers"] for one in body["personalizations"])):
        assert not RESERVED & {name.lower() for name in headers}
        for name, value in headers.items():
            assert re.fullmatch("[A-Za-z-]+", name)
            assert value.isascii()
            assert value.isprintable()
            assert "-nl_" not in value  # SendGrid substitutes nothing in headers


def test_a_recipient_finds_only_their_own_values(envelope, letter):
    body = mail_send(envelope, letter, claim_for())
    for place, one in enumerate(body["personalizations"], start=1):
        others = {f"reader-{n}@example.com" for n in (1, 2, 3) if n != place}
        assert not others & set(strings_in(one))
        token = one["substitutions"][UNSUBSCRIBE_URL].rpartition("/")[2]
        signed = read_token(token)
        assert signed.subscription_id == place
        check_token(Purpose.UNSUBSCRIBE, signed, recipient(place).link_key)


def test_nothing_but_ids_travels_in_custom_arguments(envelope, letter):
    body = mail_send(envelope, letter, claim_for())
    # SendGrid stores them for long and calls them "not PII".
    args = [one["custom_args"] for one in body["personalizations"]]
    assert not [leaf for leaf in strings_in(args) if "@" in leaf]


@given(st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z]{1,60}\.example", fullmatch=True))
def test_an_address_is_escaped_in_html_and_bare_in_text(envelope, letter, email):
    [one] = mail_send(envelope, letter, claim_for(email))["personalizations"]

    assert one["to"] == [{"email": email}]
    assert one["substitutions"][ADDRESS_TEXT] == email
    shown = one["substitutions"][ADDRESS_HTML]
    assert not set(shown) & set("<>\"'")
    assert not re.search(r"&(?!amp;|#x27;)", shown)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=16, max_size=16))
def test_substitutions_stay_far_below_the_limit(envelope, letter, number, key):
    longest = f"{'l' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 58}.example"  # RFC 5321: 254 characters
    reader = Recipient(place=1, email=longest, subscription_id=number, link_key=key)
    claim = replace(claim_for(), recipients=(reader,))

    [one] = mail_send(envelope, letter, claim)["personalizations"]

    assert set(one["substitutions"]) == set(RECIPIENT_TAGS)
    assert len(json.dumps(one["substitutions"]).encode()) < 10_000
    for url in (one["substitutions"][tag] for tag in RECIPIENT_TAGS[:2]):
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc, parts.query) == ("https", "news.example.com", "")
        assert re.fullmatch(r"/[up]/[A-Za-z0-9_-]{28}", parts.path)
        assert len(url) <= 70  # or EmailMessage would encode the header it stands in


def test_tags_have_no_character_that_mail_programs_or_sendgrid_rewrite(letter):
    for tag in RECIPIENT_TAGS:
        assert re.fullmatch("-[a-z_]+-", tag)


def test_a_full_batch_is_one_personalization_each(envelope, letter):
    claim = claim_for(*(f"r{n}@example.com" for n in range(BATCH_LIMIT)))
    personalizations = mail_send(envelope, letter, claim)["personalizations"]

    assert len(personalizations) == 1000  # mail/send takes no more
    assert all(len(one["to"]) == 1 for one in personalizations)


@pytest.mark.parametrize("purpose", ["unsubscribe", "preferences"])
def test_links_begin_with_the_public_url(purpose):
    url = getattr(Links(BASE_URL), purpose)(recipient(1))
    assert url.startswith(f"{BASE_URL}/{purpose[0]}/")
