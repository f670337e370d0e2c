"""A POST under an idempotency key is done once, and answered the same."""

import json
import threading
from datetime import timedelta
from hashlib import sha256

import pytest

from newsletter.services.intake import Intake
from newsletter.stores.idempotency import KEPT_FOR, LEASE
from tests.container import TestContainer
from tests.web.api.asking import ApiClient, given_brief, kind_of, make_token

pytestmark = pytest.mark.postgres

KEY = {"Idempotency-Key": "one"}


def test_the_same_request_is_answered_as_it_was(api: ApiClient, container: TestContainer):
    first = api.post("/briefs", given_brief(), headers=KEY)
    again = api.post("/briefs", given_brief(), headers={"Idempotency-Key": '"one"'})
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.json()["data"][0]["arrival"] == "new"
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert api.post("/briefs", given_brief()).json()["data"][0]["arrival"] == "unchanged"


def test_a_refusal_is_answered_again_too(api: ApiClient):
    first, again = (api.post("/briefs", {}, headers=KEY) for _ in range(2))
    assert (first.status_code, again.content) == (422, first.content)
    assert again.headers["content-type"] == "application/problem+json"


def test_no_secret_of_an_answer_is_stored_in_the_clear(api: ApiClient, container: TestContainer):
    asked = {"name": "chat", "url": "https://hooks.example.com/"}
    first, again = (api.post("/webhooks", asked, headers=KEY) for _ in range(2))
    assert first.json()["secret"].startswith("whsec_")
    assert again.content == first.content
    [(hashed, stored)] = container.query("SELECT request_hash, body FROM idempotency_key")
    assert b"whsec_" not in bytes(stored)
    assert b"chat" not in bytes(stored)
    head = b"POST /api/v1/webhooks?\n"  # of a request that says whom it is about, nobody guesses it
    assert bytes(hashed) != sha256(head + json.dumps(asked).encode()).digest()
    assert (
        bytes(hashed) != sha256(head + json.dumps(asked, separators=(",", ":")).encode()).digest()
    )


def test_another_request_may_not_have_the_key(api: ApiClient, container: TestContainer):
    api.post("/briefs", given_brief(1), headers=KEY)
    other = api.post("/briefs", given_brief(2), headers=KEY)
    assert (other.status_code, kind_of(other)) == (422, "key-reused")
    assert container.query("SELECT count(*) FROM brief") == [(1,)]


def test_keys_are_each_tokens_own(api: ApiClient, container: TestContainer):
    api.post("/briefs", given_brief(1), headers=KEY)
    other = api.with_token(make_token(container))
    assert other.post("/briefs", given_brief(2), headers=KEY).status_code == 200


def test_while_the_first_is_answered_the_second_is_not(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
):
    inside, go_on = threading.Event(), threading.Event()
    hand_over = Intake.hand_over

    def slow(*given: object, **named: object):
        inside.set()
        assert go_on.wait(20)
        return hand_over(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "hand_over", slow)
    first = api.portal.start_task_soon(
        lambda: api._ask("POST", "/briefs", json=given_brief(), headers=KEY)
    )
    assert inside.wait(20)
    second = api.post("/briefs", given_brief(), headers=KEY)
    go_on.set()
    assert (second.status_code, kind_of(second)) == (409, "key-in-use")
    assert first.result(20).status_code == 200
    assert api.post("/briefs", given_brief(), headers=KEY).headers["Idempotency-Replayed"] == "true"


def test_a_fault_of_ours_frees_the_key(api: ApiClient, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as broken:
        broken.setattr(Intake, "hand_over", lambda *_, **__: 1 / 0)
        failed = api.post("/briefs", given_brief(), headers=KEY)
    assert (failed.status_code, kind_of(failed)) == (500, "failed")
    assert failed.headers["X-Request-Id"] == failed.json()["request_id"]
    assert api.post("/briefs", given_brief(), headers=KEY).status_code == 200


def test_after_a_crash_the_key_is_free_once_the_lease_ran_out(
    api: ApiClient, container: TestContainer
):
    api.post("/briefs", given_brief(), headers=KEY)
    container.query("UPDATE idempotency_key SET status = NULL, headers = NULL, body = NULL")
    assert api.post("/briefs", given_brief(), headers=KEY).status_code == 409
    container.clock.pass_time(seconds=LEASE.total_seconds())
    [receipt] = api.post("/briefs", given_brief(), headers=KEY).json()["data"]
    assert receipt["arrival"] == "unchanged"  # it had been done


def test_answers_are_kept_for_a_day(api: ApiClient, container: TestContainer):
    api = api.with_token(make_token(container, lifetime=3 * KEPT_FOR))
    api.post("/briefs", given_brief(1), headers=KEY)
    container.clock.pass_time(seconds=(KEPT_FOR - timedelta(seconds=1)).total_seconds())
    assert container.repeated_requests.delete_old() == 0
    container.clock.pass_time(seconds=1)
    assert api.post("/briefs", given_brief(2), headers=KEY).status_code == 200
    container.clock.pass_time(seconds=KEPT_FOR.total_seconds())
    assert container.repeated_requests.delete_old() == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
def test_a_key_that_is_none_is_refused(api: ApiClient, key: str):
    refused = api.post("/briefs", given_brief(), headers={"Idempotency-Key": key})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "header/Idempotency-Key"
