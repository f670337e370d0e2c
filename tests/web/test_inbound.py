"""Goodbyes by mail: what SendGrid's Inbound Parse brings, and whose word it is."""

import json
from dataclasses import replace
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from newsletter.adapters.metrics import Metrics
from newsletter.core.unsubscribe_mail import UnsubscribeMail, asks_to_unsubscribe
from newsletter.web.app import create_app
from newsletter.web.inbound import BODY_LIMIT, OPEN_LIMIT
from subscribers.model import Purpose, SubscriptionStatus
from subscribers.tokens import make_token
from tests.web.conftest import INBOUND_KEY, OTHER, READER, Client, now_of, records

pytestmark = pytest.mark.postgres

DOOR, MAILBOX = "/webhooks/inbound", "unsubscribe@news.example.com"
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}


def form(**changes: str) -> dict[str, str]:
    """A letter as Inbound Parse posts it in parts, by a reader who wrote it by hand."""
    fields = {
        "headers": f"Received: by mx.sendgrid.net\nFrom: Ann <{READER}>\nTo: {MAILBOX}\n",
        "from": f"Ann <{READER}>",
        "to": MAILBOX,
        "subject": "Unsubscribe",
        "text": "Please take me off this list.\n",
        "html": "<p>Please</p>",
        "envelope": json.dumps({"to": [MAILBOX], "from": READER}),
        "charsets": '{"to":"UTF-8","subject":"UTF-8","from":"UTF-8","text":"iso-8859-1"}',
        "SPF": "pass",
        "dkim": "{@example.com : pass}",
    }
    return fields | changes


def bring(client, fields: dict[str, str], key: str | None = INBOUND_KEY, **files: Any):
    boxes = {name: (None, value) for name, value in fields.items()} | files
    return client.post(DOOR, files=boxes, auth=("sendgrid", key) if key else None)


def token_of(subscription) -> str:
    return make_token(Purpose.UNSUBSCRIBE, subscription.id, subscription.link_key)


def test_two_keys_are_taken_while_one_takes_over_from_the_other(services):
    changing = replace(services, inbound_key="the-old-one,the-new-one")
    with start_blocking_portal() as portal:
        both = Client(create_app(changing), portal)
        answers = {
            key: bring(both, form(), key).status_code
            for key in ("the-old-one", "the-new-one", INBOUND_KEY, None)
        }
    assert answers == {"the-old-one": 200, "the-new-one": 200, INBOUND_KEY: 403, None: 403}


def has_left(container, email: str = READER) -> bool:
    return now_of(container, email).status is SubscriptionStatus.ENDED


#: What says nothing by itself.
NO_ANSWER = {"text": "", "SPF": "none", "dkim": "none", "subject": ""}


def test_the_token_in_the_subject_unsubscribes_whoever_wrote(client, container, reader, counters):
    stranger = {"headers": "From: x@example.net\n", "from": "x@example.net"}
    for subject in (f"Re: {token_of(reader)}", token_of(reader)):
        answer = bring(client, form(**NO_ANSWER | stranger | {"subject": subject}))
        assert (answer.status_code, answer.content) == (200, b"")
        assert has_left(container)

    assert not has_left(container, OTHER)
    assert counters.values() == {"unsubscribe_mails_link": 2}
    withdrawn = [one for one in records(container, "consent") if one[0] == "withdrawn"]
    assert withdrawn == [("withdrawn", "mail to the unsubscribe address", {})]


def test_the_token_may_stand_in_a_plus_address(client, container, reader):
    to = f"unsubscribe+{token_of(reader)}@news.example.com"
    bring(client, form(**NO_ANSWER | {"envelope": json.dumps({"to": [to], "from": ""})}))
    assert has_left(container)


def test_the_raw_letter_is_read_as_well(client, container, reader):
    raw = (
        f"From: {OTHER}\r\nTo: {MAILBOX}\r\nSubject: =?utf-8?q?D=C3=A9sabonner?=\r\n"
        "Content-Type: multipart/alternative; boundary=x\r\n\r\n"
        "--x\r\nContent-Type: text/plain\r\n\r\nmerci\r\n--x--\r\n"
    )
    checks = {"dkim": "{@example.org : pass}", "envelope": json.dumps({"to": [MAILBOX]})}
    bring(client, {"email": raw, **checks})
    assert has_left(container, OTHER)

    bring(client, {"email": f"Subject: {token_of(reader)}\n\n"})
    assert has_left(container)


@pytest.mark.parametrize(
    "changes",
    [
        {"SPF": "fail"},
        {"dkim": "none"},
        {"dkim": "{@sendgrid.net : pass, @EXAMPLE.com : pass}", "SPF": "none"},
        {"subject": "no more of this", "text": "\n> quoted\nUNSUBSCRIBE!\n"},
        {"headers": f"From: {READER} (Ann)\n"},
        {"headers": f'From: "Ann @ home, \\"A\\""\n\t<{READER}>\n'},
        {"headers": f"From: =?utf-8?q?D=C3=A9sir=C3=A9e=40x?= (at home) <{READER}>\n"},
        {"subject": "Stop", "text": ""},
        {"subject": "", "text": "Bitte abmelden, danke"},
    ],
)
def test_a_proven_sender_who_asks_to_leave_is_unsubscribed(
    client, container, reader, counters, changes
):
    assert bring(client, form(**changes)).status_code == 200
    assert has_left(container)
    assert not has_left(container, OTHER)
    assert counters.values() == {"unsubscribe_mails_address": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"dkim": "{@example.com : fail}", "SPF": "softfail"},
        {"dkim": "{@example.net : pass}", "SPF": "none"},
        {"dkim": "none", "envelope": json.dumps({"to": [MAILBOX], "from": "x@example.net"})},
        {"headers": f"From: {READER}\nFrom: x@example.com\n"},
        {"headers": f"From: {READER}, x@example.com\n"},
        {"headers": f'From: "{READER}" <x@example.com>\n'},
        {"headers": "From: =?utf-8?q?reader=40example.com_=28?= <x@example.com>\n"},
        {"headers": "From: =?utf-8?q?reader=40example.com=2C?= <x@example.com>\n"},
        {"headers": f'From: (") {READER} (" <x@example.com>\n'},
        {"headers": f"From: {READER} (<x@example.com>\n"},
        {"headers": "", "from": f"{READER} ( <x@example.com>"},
        {"headers": "From: r\x00eader@example.com\n"},
        {"headers": f"From: {READER}\nAuto-Submitted: auto-replied\n"},
        {"subject": "Your letter", "text": "I like it. Do not stop.\n> Unsubscribe\n"},
        {"subject": "", "text": "a\nb\nc\nunsubscribe"},
        {"headers": "", "to": "editors@news.example.com", "envelope": "{}"},
        {"headers": "", "from": "nobody@example.com"},
        {"headers": "", "from": ""},
        {"headers": "", "envelope": "[[[", "to": ""},
        {"headers": "", "envelope": '{"to": 7, "from": {}}', "to": ""},
    ],
)
def test_what_proves_or_says_nothing_changes_nothing(client, container, reader, counters, changes):
    assert bring(client, form(**changes)).status_code == 200
    assert not has_left(container)
    assert counters.values() == {"unsubscribe_mails_nothing": 1}


def test_a_token_of_something_else_unsubscribes_nobody(client, container, reader):
    others = [make_token(purpose, reader.id, reader.link_key) for purpose in Purpose]
    wrong = [one for one in others if one != token_of(reader)] + ["A" * 28, token_of(reader)[:-1]]
    for token in wrong:
        assert bring(client, form(**NO_ANSWER | {"subject": token})).status_code == 200
    assert not has_left(container)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", {}),
        (b"subject=x", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"--b\r\n", BOUNDARY),
        (b"\xff\x00", BOUNDARY),
        (b"--b\r\n\r\nx\r\n--b--\r\n", BOUNDARY),
        (b"x", {"Content-Type": "multipart/form-data"}),
        (
            b'--b\r\nContent-Disposition: form-data; name="to"\r\n\r\n\xff..\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b; charset=idna"},
        ),
    ],
)
def test_what_cannot_be_read_is_counted_and_not_asked_for_again(client, counters, content, headers):
    answer = client.post(DOOR, content=content, headers=headers, auth=("", INBOUND_KEY))
    assert answer.status_code == 200
    assert counters.values() == {"unsubscribe_mails_nothing": 1}


def test_who_does_not_know_the_key_is_refused(client, container, reader, counters, caplog):
    for key in (None, "", "guess", "ключ"):
        assert bring(client, form(subject=token_of(reader)), key=key).status_code == 403
    for header in ("Basic ???", "Bearer " + INBOUND_KEY, "Basic"):
        answer = client.post(DOOR, content=b"", headers={"Authorization": header})
        assert answer.status_code == 403
    assert not has_left(container)
    assert counters.values() == {}
    assert READER not in caplog.text


def test_without_a_key_only_tokens_are_believed(client_without_key, container, reader):
    bring(client_without_key, form(), key=None)
    assert not has_left(container)
    bring(client_without_key, form(subject=token_of(reader)), key=None)
    assert has_left(container)


def test_a_letter_with_pictures_counts_and_is_stored_nowhere(client, container, reader, caplog):
    picture = ("x.png", b"\x89PNG" * 500_000, "image/png")
    answer = bring(client, form(subject=token_of(reader)), attachment1=picture)

    assert answer.status_code == 200
    assert has_left(container)
    assert READER not in caplog.text
    assert token_of(reader) not in caplog.text


def test_a_post_far_above_sendgrids_own_is_not_read_to_its_end(client):
    taken = 0

    async def endless():
        nonlocal taken
        yield b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'
        for _ in range(64):
            taken += 1
            yield b" " * (BODY_LIMIT // 8)

    answer = client.post(DOOR, content=endless(), headers=BOUNDARY, auth=("", INBOUND_KEY))
    assert answer.status_code == 413
    assert taken == 8


def test_whoever_may_post_without_a_key_may_not_post_much(client_without_key, container, reader):
    subject = token_of(reader)
    large = bring(client_without_key, form(subject=subject, text=" " * OPEN_LIMIT), key=None)
    assert large.status_code == 413
    assert not has_left(container)
    small = bring(client_without_key, form(subject=subject, text=" " * 500_000), key=None)
    assert small.status_code == 200
    assert has_left(container)


def test_only_the_first_lines_of_somebodys_own_words_count():
    def says(subject: str, text: str = "") -> bool:
        return asks_to_unsubscribe(
            UnsubscribeMail(
                sender="",
                recipients=(),
                subject=subject,
                text=text,
                proven=frozenset(),
                automatic=False,
            )
        )

    assert says("Opt-out")
    assert says("", "\n\n  Remove me, please\n")
    assert says("", "stop.")
    assert not says("How to stop worrying")
    assert not says("Hello", "> unsubscribe\n-----Original Message-----\n")


def test_what_letters_were_taken_for_can_be_measured(client, container, reader, counters):
    bring(client, form())
    bring(client, form(subject="", text=""))

    metrics = Metrics(container.engine, audit=container.deliveries.audit, counts=counters.values)
    said = metrics().decode()
    for result, count in {"link": 0, "address": 1, "nothing": 1}.items():
        assert f'newsletter_unsubscribe_mails_total{{result="{result}"}} {count}.0' in said
