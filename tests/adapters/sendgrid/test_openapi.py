"""Every kind of request, and the look-out itself, held against SendGrid's own OpenAPI files.

The look-out is in tests/held_to_openapi.py, and watches all other tests, too.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.adapters.sendgrid.payload import SANDBOX_MODE, mail_send, single_send, staff_send
from newsletter.core.delivery import Claim
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope
from newsletter.core.transactional import TransactionalMessage
from tests.adapters.sendgrid.conftest import claim_for
from tests.openapi import MISSING, Call, Contract
from tests.settings import TECHNOLOGY


@pytest.fixture
def rules(openapi: Contract | None) -> Contract:
    """The files; without them, a machine that promised to have them fails."""
    if openapi is None:
        (pytest.fail if os.environ.get("REQUIRE_OPENAPI") else pytest.skip)(MISSING)
    return openapi


@pytest.fixture
def batch() -> Claim:
    return claim_for()


def posted(body: dict[str, Any], status: int = 202) -> Call:
    return Call("POST", "/v3/mail/send", set(), json.dumps(body).encode(), status, b"")


def message(envelope: Envelope, letter: Letter) -> TransactionalMessage:
    return TransactionalMessage(
        id=5,
        installation_id="0123456789abcdef",
        email="reader@example.com",
        sender=TECHNOLOGY.sender,
        reply_to=TECHNOLOGY.reply_to,
        headers=envelope.headers,
        letter=letter,
    )


REQUESTS: dict[str, Callable[[Envelope, Letter, Claim], dict[str, Any]]] = {
    "edition": mail_send,
    "rehearsal": lambda e, letter, claim: mail_send(e, letter, claim) | SANDBOX_MODE,
    "transactional": lambda e, letter, _: single_send(message(e, letter)),
    "test letter": lambda e, letter, _: staff_send(message(e, letter)),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_each_kind_of_request_is_as_the_file_says(
    kind: str, rules: Contract, envelope: Envelope, letter: Letter, batch: Claim
) -> None:
    rules.look(posted(REQUESTS[kind](envelope, letter, batch)))
    assert rules.faults == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"subject": 7}, 'request at subject: 7 is not of type "string"'),
        ({"custom_args": {"a": "b"}}, ""),  # an exception of the table
        ({"categories": ["a"] * 11}, "request at categories"),
        ({"personalizations": []}, ""),  # the stand-in is stricter here than the file
    ],
)
def test_the_look_out_sees_what_is_not(
    change: dict[str, Any],
    fault: str,
    rules: Contract,
    envelope: Envelope,
    letter: Letter,
    batch: Claim,
) -> None:
    rules.look(posted(mail_send(envelope, letter, batch) | change))
    assert bool(rules.faults) is bool(fault)
    assert all(fault in one for one in rules.faults)
    rules.faults.clear()


def test_an_answer_and_an_address_that_no_file_knows_are_seen(rules: Contract) -> None:
    rules.look(Call("GET", "/v3/scopes", {"page"}, b"", 200, b'{"scopes": "all"}'))
    rules.look(Call("GET", "/v3/nothing", set(), b"", 200, b""))
    assert [one.partition(":")[0] for one in rules.faults] == [
        "GET /v3/scopes",
        "GET /v3/scopes",
        "GET /v3/nothing",
    ]
    rules.faults.clear()
