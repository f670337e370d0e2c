"""Each fault, as the real client sees it, and whether the request was accepted all the same."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from python_http_client import client as vendor
from python_http_client import exceptions
from sendgrid import SendGridAPIClient

from newsletter.sandbox.faults import FaultRules
from newsletter.sandbox.server import Sandbox

Make = Callable[..., dict[str, Any]]
LARGE = "x" * 20_000_000  # more than the sockets' buffers hold


@pytest.mark.parametrize(
    "case",
    [
        ({"kind": "close_after_accept"}, http.client.RemoteDisconnected, 1),
        ({"kind": "truncate_202"}, http.client.IncompleteRead, 1),
        ({"kind": "garbage"}, http.client.BadStatusLine, 1),
        ({"kind": "close_before_read"}, http.client.RemoteDisconnected, 0),
        ({"kind": "reset"}, ConnectionResetError, 0),
        ({"kind": "early_413"}, exceptions.PayloadTooLargeError, 0),
        ({"kind": "status_401_credits"}, exceptions.UnauthorizedError, 0),
        ({"kind": "status_403"}, exceptions.ForbiddenError, 0),
        ({"kind": "status_429"}, exceptions.TooManyRequestsError, 0),
        ({"kind": "status_500"}, exceptions.InternalServerError, 0),
        ({"kind": "status_502"}, exceptions.HTTPError, 0),
        ({"kind": "status_503"}, exceptions.ServiceUnavailableError, 0),
        ({"kind": "status_504", "accept": True}, exceptions.GatewayTimeoutError, 1),
    ],
)
def test_a_fault_looks_like_the_real_thing(
    sandbox: Sandbox,
    client: SendGridAPIClient,
    message: Make,
    case: tuple[dict[str, Any], type[Exception], int],
) -> None:
    rule, error, accepted = case
    sandbox.fail(rule)
    with pytest.raises(error) as raised:
        client.send(message())
    # A URLError promises that nothing was sent; urllib's subclass HTTPError is an answer.
    assert type(raised.value) is not urllib.error.URLError
    stats = sandbox.stats()
    assert stats["accepted_requests"] == len(sandbox.messages()) == accepted
    assert stats["faults"] == {rule["kind"]: 1}


@pytest.mark.parametrize("kind", ["close_before_read", "reset", "early_413"])
def test_a_large_body_cut_short_is_a_url_error(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make, kind: str
) -> None:
    sandbox.fail({"kind": kind})
    with pytest.raises(urllib.error.URLError) as raised:
        client.send(message(subject=LARGE))
    assert type(raised.value) is urllib.error.URLError
    assert sandbox.stats()["accepted_requests"] == 0


@pytest.mark.parametrize("accept", [True, False])
def test_a_hanging_answer_runs_into_the_clients_timeout(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make, accept: bool
) -> None:
    sandbox.fail({"kind": "hang", "accept": accept})
    client.client.timeout = 0.2
    with pytest.raises(TimeoutError) as raised:
        client.send(message())
    assert not isinstance(raised.value, urllib.error.URLError)
    assert sandbox.stats()["accepted_requests"] == accept


def test_a_hang_ends_without_an_answer(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    sandbox.fail({"kind": "hang", "seconds": 0})
    with pytest.raises(http.client.RemoteDisconnected):
        client.send(message())


def test_a_redirect_tempts_with_an_answer_that_is_no_202(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "urllib", urllib.request)  # ours, which others share, follows none
    sandbox.fail({"kind": "redirect"})
    assert client.send(message()).status_code == 200
    assert sandbox.stats()["accepted_requests"] == 0


def test_credits_used_up_are_refused_in_sendgrids_words(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    sandbox.fail({"kind": "status_401_credits"})
    with pytest.raises(exceptions.UnauthorizedError) as refused:
        client.send(message())
    assert refused.value.to_dict["errors"][0]["message"] == "Maximum credits exceeded"


@pytest.mark.parametrize("given", [True, False])
def test_a_rate_limit_comes_with_or_without_its_headers(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make, given: bool
) -> None:
    sandbox.fail({"kind": "status_429", "headers": given, "seconds": 100})
    with pytest.raises(exceptions.TooManyRequestsError) as refused:
        client.send(message())
    assert ("X-RateLimit-Reset" in refused.value.headers) is given
    assert refused.value.to_dict["errors"][0]["message"] == "too many requests"


def test_a_wrong_request_is_refused_whatever_would_follow_its_acceptance(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    sandbox.fail({"kind": "close_after_accept"})
    with pytest.raises(exceptions.BadRequestsError):
        client.send(message(subject=""))


def test_a_fault_strikes_as_often_as_asked_and_rules_take_turns(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    sandbox.fail({"kind": "status_503", "times": 1}, {"kind": "status_500", "times": 1})
    with pytest.raises(exceptions.ServiceUnavailableError):
        client.send(message())
    assert [rule["times"] for rule in sandbox.call("GET", "/sandbox/faults")] == [0, 1]
    with pytest.raises(exceptions.InternalServerError):
        client.send(message())
    assert client.send(message()).status_code == 202


def test_faults_can_be_called_off(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    sandbox.fail({"kind": "status_500"})
    sandbox.call("DELETE", "/sandbox/faults")
    assert client.send(message()).status_code == 202


def _struck(seed: int) -> list[bool]:
    faults = FaultRules(seed)
    faults.replace(b'[{"kind": "status_500", "share": 0.3}]')
    return [faults.draw() is not None for _ in range(200)]


def test_a_share_of_calls_is_struck_the_same_for_equal_seeds() -> None:
    assert _struck(1) == _struck(1) != _struck(2)
    assert 40 <= sum(_struck(1)) <= 80


@pytest.mark.parametrize(
    "rule",
    [
        b'{"kind": "rain"}',
        b'{"kind": "hang", "share": 2}',
        b'{"kind": "hang", "times": -1}',
        b'{"kind": "hang", "when": "now"}',
        b'{"kind": "reset", "accept": true}',
        b'{"kind": "bad_address"}',
        b'{"kind": "bad_address", "pattern": "("}',
        b'{"kind": "hang", "pattern": "x"}',
    ],
)
def test_rules_that_make_no_sense_are_refused_and_change_nothing(rule: bytes) -> None:
    faults = FaultRules()
    faults.replace(b'[{"kind": "hang"}]')
    with pytest.raises(ValueError, match=r"kind|share|times|when|accept|pattern"):
        faults.replace(b"[" + rule + b"]")
    assert faults.draw() is not None
