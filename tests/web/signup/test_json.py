"""The JSON endpoint: one answer for every address, and for named sites alone."""

import pytest

from tests.web.conftest import Client
from tests.web.signup.helpers import READER, SITE, SignUpContainer

pytestmark = pytest.mark.postgres

_PATH = "/technology/subscribe.json"


def test_a_named_site_may_ask_and_the_answer_is_always_one(
    client: Client, container: SignUpContainer
):
    sheet = {"email": READER, "topics": ["chips"], "timezone": "Asia/Tokyo", "name": "Robin"}
    first = client.post(_PATH, json=sheet, headers={"Origin": SITE})
    assert first.status_code == 202
    assert first.headers["access-control-allow-origin"] == SITE
    assert first.headers["vary"] == "Origin"
    client.post(container.link())
    assert container.subscription().source == "JSON endpoint"

    again = client.post(_PATH, json=sheet, headers={"Origin": SITE})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert client.post(_PATH, json={"email": "other@example.org"}).content == first.content


def test_another_site_may_not(client: Client, container: SignUpContainer):
    elsewhere = {"Origin": "https://elsewhere.example"}
    refused = client.post(_PATH, json={"email": READER}, headers=elsewhere)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert container.select("SELECT * FROM signup") == []


@pytest.mark.parametrize("origin, allowed", [(SITE, True), ("https://elsewhere.example", False)])
def test_a_browser_asks_first(client: Client, origin: str, allowed: bool):
    asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = client.ask("OPTIONS", _PATH, headers=asking)
    assert answer.status_code == 204
    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    assert ("access-control-allow-methods" in answer.headers) is allowed


@pytest.mark.parametrize(
    "body, field",
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 10_000, "body"),
        (b"{}", "email"),
        (b'{"email": 1}', "email"),
        (b'{"email": "nobody"}', "email"),
        (b'{"email": "a\\ud800@example.com"}', "email"),
        (b'{"email": "a\\u0000@example.com"}', "email"),
        (b'{"email": "a@example.com", "name": "\\ud800"}', "name"),
        (b'{"email": "a@example.com", "topics": []}', "topics"),
        (b'{"email": "a@example.com", "topics": ["\\u0000"]}', "topics"),
        (b'{"email": "a@example.com", "timezone": "../etc"}', "timezone"),
        (b'{"email": "a@example.com", "frequency": "weekly"}', "frequency"),
        (b'{"email": "a@example.com", "more": 1}', "more"),
    ],
)
def test_what_is_wrong_is_said_by_field(
    client: Client, container: SignUpContainer, body: bytes, field: str
):
    answer = client.post(_PATH, content=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert container.select("SELECT * FROM signup") == []


def test_a_flood_is_not_read(client: Client):
    assert client.post(_PATH, content=b" " * 30_000).status_code == 413
