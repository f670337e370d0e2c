"""What surrounds every call: bodies, limits, problems, the console beside it."""

import json
import time

import pytest

from newsletter.web.api.body import BODY_LIMIT
from tests.container import TestContainer, brief
from tests.web.api.asking import API, ApiClient, given_brief, kind_of, pointers

pytestmark = pytest.mark.postgres

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe{\x00}\x00", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000, b"9" * 9_000],
    ids=["cut", "utf-16", "nan", "twice", "deep", "long"],
)
def test_what_is_no_strict_json_is_refused(api: ApiClient, body: bytes):
    refused = api.ask("POST", "/briefs", content=body, headers=JSON)
    assert (refused.status_code, kind_of(refused)) == (400, "unreadable")


def test_a_name_given_twice_among_many_is_found_at_once(api: ApiClient):
    names = ",".join(f'"{number}":1' for number in (*range(60_000), 59_999))
    began = time.process_time()
    refused = api.ask("POST", "/briefs", content=f"{{{names}}}".encode(), headers=JSON)
    assert (refused.status_code, "'59999'" in refused.json()["detail"]) == (400, True)
    assert time.process_time() - began < 5


def test_a_bad_character_in_a_deep_body_is_named(api: ApiClient):
    body = b'[{"title":' + b"[" * 800 + rb'"\ud800"' + b"]" * 800 + b"}]"
    refused = api.ask("POST", "/briefs", content=body, headers=JSON)
    assert pointers(refused) == ["#/0/title" + "/0" * 800]


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\u0000"'])
def test_what_no_text_holds_is_named(api: ApiClient, text: str):
    body = json.dumps([given_brief()]).replace('"Example Wire"', text)
    refused = api.ask("POST", "/briefs", content=body, headers=JSON)
    assert (refused.status_code, pointers(refused)) == (422, ["#/0/source"])


def test_a_body_has_a_type_and_a_size(api: ApiClient):
    text = api.ask("POST", "/briefs", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (text.status_code, kind_of(text)) == (415, "media-type")
    large = api.ask("POST", "/briefs", content=b" " * (BODY_LIMIT + 1), headers=JSON)
    assert (large.status_code, kind_of(large)) == (413, "too-large")
    assert pointers(api.ask("POST", "/briefs")) == ["#"]


def test_parameters_are_named(api: ApiClient):
    refused = api.get("/briefs?limit=0&on=yesterday&status=odd")
    assert sorted(pointers(refused)) == ["query/limit", "query/on", "query/status"]


def test_a_parameter_that_is_none_is_refused(api: ApiClient):
    refused = api.get("/briefs?newslettr=technology&limit=1")
    assert (refused.status_code, pointers(refused)) == (422, ["query/newslettr"])
    assert refused.json()["detail"] == (
        "query/newslettr: There is no parameter of this name; "
        "choose from: after, limit, newsletter, on, status."
    )
    assert pointers(api.get("/newsletters?limit=5")) == ["query/limit"]
    assert api.get("/openapi.json?v=1").status_code == 200


def test_a_place_at_the_beginning_of_a_detail_is_spelled_as_it_is(api: ApiClient):
    refused = api.get("/briefs?limit=0")
    assert refused.json()["detail"].startswith("query/limit: ")


def test_what_is_wrong_is_said_in_words_of_json(api: ApiClient):
    receipts = api.post("/briefs", [given_brief() | {"titel": "x"}, 5]).json()["data"]
    found = {one["pointer"]: one["detail"] for receipt in receipts for one in receipt["errors"]}
    assert found == {
        "#/0/titel": "There is no field of this name.",
        "#/1": "It should be an object.",
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/briefs", given_brief(topics=[5], source_url="no address")),
        ("/briefs", [given_brief(verification="sure"), given_brief(published="soon")]),
        ("/readers", {"email": "nobody", "newsletter": "technology", "consent": " "}),
        ("/readers", {"email": "a@example.com", "newsletter": "gone", "consent": "a form"}),
        ("/webhooks", {"name": "hub", "url": "ftp://example.org", "newsletters": ["gone"]}),
        ("/readers?limit=0", {}),
    ],
)
def test_every_detail_is_a_sentence(api: ApiClient, path: str, body: object):
    answer = api.post(path, body).json()
    parts = answer.get("data", [answer])
    details = [one["detail"] for part in parts for one in part["errors"]]
    assert details
    for one in (*details, answer.get("detail", "It is.")):
        assert one.endswith(".")
        assert one[0].isupper() or one.startswith(("#/", "query/"))


def test_what_is_not_there_is_a_problem_too(api: ApiClient):
    assert kind_of(api.get("/nothing")) == "not-found"
    assert kind_of(api.get("/briefs/x")) == "not-found"
    put = api.ask("PUT", "/briefs/1", json={})
    assert (kind_of(put), put.headers["allow"]) == ("method", "GET, PATCH")


def test_each_kind_of_problem_is_described(anonymous: ApiClient):
    page = anonymous.get("/problems")
    assert page.headers["content-type"].startswith("text/markdown")
    assert "## key-reused" in page.text


def test_a_token_that_asks_too_often_waits(api: ApiClient, container: TestContainer):
    limit = container.settings.service.web.api_per_minute
    first = api.get("/newsletters")
    assert first.headers["RateLimit-Policy"] == f'"token";q={limit};w=60'
    assert first.headers["RateLimit"] == f'"token";r={limit - 1};t=1'
    for _ in range(limit - 1):
        container.api_services.rate_limit.take(1)
    refused = api.get("/newsletters")
    assert (refused.status_code, kind_of(refused)) == (429, "too-many")
    container.clock.pass_time(seconds=int(refused.headers["Retry-After"]))
    assert api.get("/newsletters").status_code == 200


def test_the_last_use_is_recorded_once_a_minute(api: ApiClient, container: TestContainer):
    def used() -> object:
        return container.api_tokens.get(1).used_at

    api.get("/newsletters")
    first = used()
    assert first == container.clock.now()
    container.clock.pass_time(seconds=59)
    api.get("/newsletters")
    assert used() == first
    container.clock.pass_time(seconds=1)
    api.get("/newsletters")
    assert used() == container.clock.now()


def test_a_get_that_writes_fails(api: ApiClient, container: TestContainer):
    """The database refuses it, rather than a promise."""

    @container.api.router.get(API + "/writes")
    def writes() -> None:
        container.intake.receive(brief())

    assert api.get("/writes").status_code == 500
    assert container.query("SELECT count(*) FROM brief") == [(0,)]


def test_the_api_stands_beside_the_console(api: ApiClient, container: TestContainer):
    both = ApiClient(container.console_and_api, api.portal, api.token)
    # Neither the console's guard against forged forms, nor its sign-in.
    assert both.post("/briefs", given_brief()).status_code == 200
    assert both.get("/nothing").json()["type"].endswith("#not-found")
    for path in ("/../../account", "/../v1x/briefs"):
        assert "RateLimit" not in both.get(path).headers  # the console's
    assert both.get("/../../account").headers["location"].startswith("/sign-in")
