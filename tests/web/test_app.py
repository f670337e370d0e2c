"""Every answer: its headers, a page for every error, and the webhook."""

import logging
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newsletter.web.webhook import BODY_LIMIT
from subscribers.model import Purpose, SubscriptionStatus
from subscribers.tokens import make_token
from tests.container import TODAY, ids_of
from tests.signing import Seal, body_of
from tests.web.conftest import READER, choices_path, leave_path

pytestmark = pytest.mark.postgres

HOOK = "/webhooks/sendgrid"


def assert_guarded(response):
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] in ("no-store", "public, max-age=300")


def test_every_answer_bears_the_security_headers(client, container, reader):
    container.send_issue()
    leave = "/u/" + make_token(Purpose.UNSUBSCRIBE, reader.id, reader.link_key)
    topics = "/p/" + make_token(Purpose.PREFERENCES, reader.id, reader.link_key)
    asked = {
        200: [("GET", path) for path in ("/", "/technology", f"/technology/{TODAY}", "/healthz")],
        404: [("GET", "/u/x"), ("POST", "/p/x"), ("GET", "/a/b/c/d"), ("GET", "/technology/x")],
        405: [("DELETE", "/"), ("OPTIONS", leave), ("PUT", HOOK)],
        403: [("POST", HOOK)],
    }
    asked[200] += [(method, leave) for method in ("GET", "HEAD", "POST")] + [("GET", topics)]
    for status, requests in asked.items():
        for method, path in requests:
            response = client.ask(method, path)
            assert (response.status_code, method, path) == (status, method, path)
            assert_guarded(response)


def test_a_refused_method_names_those_allowed(client):
    assert client.ask("DELETE", "/healthz").headers["Allow"] in ("GET, HEAD", "HEAD, GET")


def test_the_service_says_that_it_is_well(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_fault_of_ours_is_a_plain_page_that_gives_nothing_away(client, container):
    with container.engine.begin() as connection:
        connection.execute(text("ALTER TABLE issue RENAME TO elsewhere"))

    response = client.get("/technology")

    assert response.status_code == 500
    assert "This is our fault." in response.text
    assert "issue" not in response.text
    assert_guarded(response)


def test_a_fault_of_the_database_does_not_print_what_was_asked_of_it(container):
    with pytest.raises(DBAPIError) as caught, container.engine.begin() as connection:
        connection.execute(text("SELECT 1 / 0, :email"), {"email": READER})

    assert READER not in str(caught.value)


def spam_report(container) -> bytes:
    container.send_issue()
    claim = next(c for _, _, c in container.mailer.asked if c.recipients[0].email == READER)
    return body_of({"event": "spamreport", "email": READER} | ids_of(claim))


def status_of(container) -> SubscriptionStatus:
    return container.subscriptions.by_email(READER)[0].status


def test_signed_events_are_received(client, container, seal):
    body = spam_report(container)

    response = client.post(HOOK, content=body, headers=seal.headers(body))

    assert (response.status_code, response.content) == (204, b"")
    assert status_of(container) is SubscriptionStatus.ENDED


def test_unsigned_and_forged_events_are_refused_with_a_warning(client, container, caplog):
    body = spam_report(container)
    for headers in ({}, Seal().headers(body)):
        caplog.clear()
        assert client.post(HOOK, content=body, headers=headers).status_code == 403
        [warning] = [one for one in caplog.records if one.levelno == logging.WARNING]
        assert "refused" in warning.getMessage()
        assert READER not in caplog.text
    assert status_of(container) is SubscriptionStatus.ACTIVE


def test_a_post_far_above_sendgrids_own_is_not_read_to_its_end(client, seal):
    taken = 0

    async def endless():
        nonlocal taken
        for _ in range(64):
            taken += 1
            yield b" " * (BODY_LIMIT // 8)

    assert client.post(HOOK, content=endless()).status_code == 413
    assert taken == 9


def test_a_post_as_large_as_sendgrids_own_is_taken(client, seal):
    body = body_of(*({"event": "delivered", "n": n, "pad": "x" * 800} for n in range(1000)))
    assert len(body) > 768 * 1024  # SendGrid's largest, as documented

    assert client.post(HOOK, content=body, headers=seal.headers(body)).status_code == 204


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Flood:
    """A form without an end; it counts what was taken of it."""

    taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(64):
            self.taken += 1
            yield b"words=" + b"x" * 16_000 + b"&"


def test_a_form_far_above_any_of_ours_is_not_read_to_its_end(client, reader):
    for path in (leave_path(reader) + "/reason", choices_path(reader)):
        flood = Flood()
        response = client.post(path, content=flood, headers=FORM)
        assert response.status_code == 413
        assert_guarded(response)
        assert flood.taken == 5

    long = b"words=" + b"x" * 40_000
    response = client.post(leave_path(reader) + "/reason", content=long, headers=FORM)
    assert response.status_code == 200


def test_one_click_unsubscribe_is_answered_before_its_body_is_read(client, container, reader):
    flood = Flood()
    assert client.post(leave_path(reader), content=flood, headers=FORM).status_code == 200
    assert flood.taken == 0
    assert status_of(container) is SubscriptionStatus.ENDED


SEGMENTS = st.sampled_from(
    ["technology", str(TODAY), "u", "p", "webhooks", "sendgrid", "healthz", "A" * 28, "0" * 16, ""]
)
PATHS = st.lists(SEGMENTS | st.text(st.characters(exclude_categories=["Cs"])), max_size=4)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
TYPES = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(METHODS, PATHS, st.binary(max_size=64), TYPES)
def test_no_request_however_odd_makes_a_fault(client, method, path, body, kind):
    target = "/" + "/".join(quote(part, safe="") for part in path)

    response = client.ask(method, target, content=body, headers={"Content-Type": kind})

    assert response.status_code < 500
    assert_guarded(response)
