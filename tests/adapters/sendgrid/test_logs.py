"""Email Logs as the service asks them, of a sandbox over real HTTP: every answer is a value."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.adapters.sendgrid.logs import SendGridLogs
from newsletter.core.delivery import Claim, Outcome
from newsletter.core.reconciliation import Absent, Probe, Shown, Sighting, Unavailable
from newsletter.sandbox.server import Sandbox, SandboxConfig
from tests.adapters.sendgrid.canned import answer, answering
from tests.adapters.sendgrid.conftest import KEY, claim_for

Send = Callable[..., Outcome]


def logs_of(host: str, api_key: str = KEY) -> SendGridLogs:
    return SendGridLogs(api_key=api_key, host=host, timeout=30)


def probe(claim: Claim | None = None, **changes: Any) -> Probe:
    """Return what is searched for, about a batch, the usual one by default."""
    claim = claim or claim_for()
    now = datetime.now(UTC)
    made = Probe(
        batch_id=claim.batch_id,
        issue_id=claim.issue_id,
        installation_id=claim.installation_id,
        attempt_ids=frozenset({claim.attempt_id}),
        emails=tuple(one.email for one in claim.recipients),
        since=now,
        until=now,
    )
    return replace(made, **changes)


def test_what_was_accepted_is_shown_by_the_attempt_it_bears(sandbox: Sandbox, send: Send):
    send()
    asked = probe(attempt_ids=frozenset({"another", "attempt-of-the-test"}))
    assert logs_of(sandbox.url).seek(asked) == Shown("attempt-of-the-test")


def test_what_was_accepted_without_an_answer_is_shown(sandbox: Sandbox, send: Send):
    sandbox.fail({"kind": "close_after_accept", "times": 1})
    send()
    assert logs_of(sandbox.url).seek(probe()) == Shown("attempt-of-the-test")


@pytest.mark.parametrize(
    "changes",
    [
        {"attempt_ids": frozenset({"another-attempt"})},
        {"emails": ("nobody@example.com",)},
        {"until": datetime(2026, 1, 1, tzinfo=UTC), "since": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_what_they_do_not_show_is_absent(sandbox: Sandbox, send: Send, changes: dict[str, Any]):
    send()
    assert logs_of(sandbox.url).seek(probe(**changes)) == Absent()


def test_absence_is_asked_for_without_the_category_and_by_every_reader(
    sandbox: Sandbox, send: Send
):
    send()
    emails = ("nobody@example.com", "READER-2@example.com")
    found = logs_of(sandbox.url).seek(probe(issue_id=8, emails=emails))
    assert found == Shown("attempt-of-the-test")


def test_an_address_that_cannot_be_quoted_is_not_searched_for(sandbox: Sandbox, send: Send):
    claim = claim_for("o'hara@example.com", "reader@example.com")
    send(claim)
    logs = logs_of(sandbox.url)
    assert logs.seek(probe(claim)) == Shown("attempt-of-the-test")

    found = logs.seek(probe(claim, emails=("o'hara@example.com",)))
    assert found == Unavailable("it has no address that can be searched for", at_all=False)


def test_a_key_that_may_not_read_them_is_said_to_be_so(tmp_path):
    with Sandbox(SandboxConfig(data=tmp_path, logs=False)) as closed:
        logs = logs_of(closed.url)
        found = logs.seek(probe())
        assert found == Unavailable("SendGrid answered 403: access forbidden")
        assert logs.obstacle() == found.reason


def test_too_many_calls_say_nothing_about_the_batch(tmp_path):
    with Sandbox(SandboxConfig(data=tmp_path, logs_per_minute=2)) as busy:
        logs = logs_of(busy.url)
        assert logs.obstacle() is None
        found = logs.seek(probe())
        assert found == Unavailable("SendGrid answered 429: too many requests")


def test_what_is_not_shown_yet_is_absent(tmp_path, envelope, letter, clock):
    from newsletter.adapters.sendgrid.mailer import SendGridMailer

    with Sandbox(SandboxConfig(data=tmp_path, events=False, logs_delay=3600)) as late:
        mailer = SendGridMailer(api_key=KEY, host=late.url, timeout=30, clock=clock)
        mailer.send(envelope, letter, claim_for())
        assert logs_of(late.url).seek(probe()) == Absent()


LISTED = json.dumps({"messages": [{"sg_message_id": "m.1"}] * 20}).encode()


@pytest.mark.parametrize(
    "response, at_all",
    [
        (answer("200 OK", b"{"), True),
        (answer("200 OK", b"[]"), True),
        (answer("200 OK", b'{"messages": [7]}'), True),
        (answer("200 OK", b"<html>"), True),
        (answer("401 Unauthorized"), True),
        (answer("500 Internal Server Error"), True),
        (answer("503 Service Unavailable", b"<html>"), True),
        (answer("400 Bad Request"), False),
        (answer("404 Not Found"), False),
        (answer("200 OK", LISTED), False),  # a full page, and no detail names an attempt
        (b"?????\r\n\r\n", True),
        (b"", True),
    ],
)
def test_whatever_else_is_answered_says_nothing(response: bytes, at_all: bool):
    with answering(response) as host:
        found: Sighting = logs_of(host).seek(probe())
    assert isinstance(found, Unavailable)
    assert found.at_all is at_all
    assert KEY not in found.reason
    assert "@" not in found.reason


def test_a_host_that_is_not_there_says_nothing():
    found = logs_of("http://127.0.0.1:1").seek(probe())
    assert isinstance(found, Unavailable)
    assert found.at_all


def test_times_allow_for_clocks_that_differ(sandbox: Sandbox, send: Send):
    send()
    later = datetime.now(UTC) + timedelta(minutes=59)
    assert isinstance(logs_of(sandbox.url).seek(probe(since=later, until=later)), Shown)
