"""A letter as a message file: what a mail program reads in it."""

import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from newsletter.adapters.eml import to_eml
from newsletter.core.mailing import Links, as_received, personal, personalized
from newsletter.core.publication import Mailbox
from tests.adapters.sendgrid.conftest import recipient

READER = recipient(1)
NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)


@pytest.fixture
def message(envelope, letter) -> EmailMessage:
    return email.message_from_bytes(to_eml(envelope, letter, READER, NOW), policy=SMTP)


def test_the_headers_are_those_of_a_letter(message, envelope, letter):
    url = envelope.links.unsubscribe(READER)
    token = url.rpartition("/")[2]

    assert dict(message.items()) == {
        "From": "Technology Daily <daily@news.example.com>",
        "To": "reader-1@example.com",
        "Reply-To": "Technology Daily <editors@news.example.com>",
        "Subject": letter.subject,
        "Date": "Fri, 27 Nov 2026 05:00:00 +0000",
        "Message-ID": message["Message-ID"],
        "List-Id": "Technology Daily <technology.news.example.com>",
        "List-Unsubscribe": f"<{url}>, <mailto:unsubscribe@news.example.com?subject={token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    assert message.defects == []


def test_the_message_has_an_id_of_the_senders_domain(message, envelope, letter):
    assert re.fullmatch(r"<[0-9a-f]{32}@news\.example\.com>", message["Message-ID"])
    again = to_eml(envelope, letter, READER, NOW)
    assert f"Message-ID: {message['Message-ID']}".encode() in again


@pytest.mark.parametrize("host", ["news", "letters.of-a-publisher-with-a-rather-long-name"])
def test_list_unsubscribe_is_one_line_and_unencoded(envelope, letter, host):
    envelope = replace(envelope, links=Links(f"https://{host}.example"))
    lines = to_eml(envelope, letter, READER, NOW).split(b"\r\n")

    [line] = [one for one in lines if one.startswith(b"List-Unsubscribe:")]
    assert f"<{envelope.links.unsubscribe(READER)}>, <mailto:".encode() in line
    assert line.endswith(b">")


@pytest.mark.parametrize("base", ["https://news.example.com", "https://letters.daily.example"])
def test_a_usual_unsubscribe_url_has_at_most_70_characters(base):
    assert len(Links(base).unsubscribe(READER)) <= 70


def test_both_parts_hold_the_readers_own_letter_the_text_first(message, envelope, letter):
    text, html = message.iter_parts()
    own = personalized(letter, personal(envelope, READER))

    assert message.get_content_type() == "multipart/alternative"
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content() == own.text.replace("\n", "\r\n")
    assert html.get_content().rstrip() == as_received(own.html)
    assert "clicktracking" in own.html
    assert "clicktracking" not in html.get_content()
    assert "-nl_" not in text.get_content() + html.get_content()


def test_no_line_is_longer_than_mail_allows(envelope, letter):
    wide = replace(letter, html=letter.html.replace("</p>", "é" * 3000 + "</p>", 1))
    head, _, body = to_eml(envelope, wide, READER, NOW).partition(b"\r\n\r\n")

    assert max(map(len, head.split(b"\r\n"))) <= 998  # RFC 5322, section 2.1.1
    assert max(map(len, body.split(b"\r\n"))) <= 76  # RFC 2045, section 6.7


@pytest.mark.parametrize("name", ['Bits, Bytes & "Wafers"', "Tägliche Technik", "a@b <c>"])
def test_a_senders_name_may_be_anything(envelope, letter, name):
    sender = Mailbox(name=name, email="daily@news.example.com")
    message = email.message_from_bytes(
        to_eml(replace(envelope, sender=sender), letter, READER, NOW), policy=SMTP
    )

    [address] = message["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, "daily@news.example.com")


def test_values_are_escaped_in_html_alone(envelope, letter):
    own = personalized(letter, personal(envelope, recipient(1, "o'hara&co@example.com")))

    assert "<p>o&#x27;hara&amp;co@example.com</p>" in own.html
    assert "To: o'hara&co@example.com" in own.text
