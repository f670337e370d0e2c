"""Readers over the API: found, added, changed, let go and erased."""

import json
from typing import Any

import pytest

from newsletter.core.api_token import Scope
from subscribers.errors import DatabaseBusy
from subscribers.records import service as records
from subscribers.records.service import Records
from subscribers.segments.filters import Filter
from tests.container import TestContainer
from tests.web.api.asking import FOREIGN_SLUG, OWN_SLUG, ApiClient, kind_of, make_token, pointers

pytestmark = pytest.mark.postgres

ANN = {"email": "ann@example.com", "newsletter": OWN_SLUG, "consent": "ticked the box at the fair"}


def added(api: ApiClient, **changes: object) -> int:
    answer = api.post("/readers", ANN | {"confirmed": True} | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["reader"]


def with_etag(api: ApiClient, number: int) -> dict[str, str]:
    return {"If-Match": api.get(f"/readers/{number}").headers["ETag"]}


def test_a_reader_with_a_statement_of_consent_subscribes(api: ApiClient):
    number = added(api, topics=["chips"], name="Ann")
    shown = api.get(f"/readers/{number}").json()
    assert (shown["email"], shown["name"], shown["suppressed"]) == ("ann@example.com", "Ann", None)
    own = shown["subscriptions"][OWN_SLUG]
    assert (own["status"], own["topics"]) == ("active", ["chips"])
    assert "link_key" not in own
    lines = api.get(f"/readers/{number}/history").json()["data"]
    assert [(one["what"], one["who"]) for one in lines] == [("imported", "token:test (1)")]
    assert "ticked the box" in lines[0]["detail"]


def test_without_a_confirmation_a_letter_asks_for_it(api: ApiClient, container: TestContainer):
    answer = api.post("/readers", ANN)
    assert (answer.status_code, answer.json()["status"]) == (202, "to be confirmed")
    assert api.get("/readers").json()["data"] == []
    assert container.query("SELECT kind FROM transactional_email") == [("confirmation",)]


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_left_or_is_suppressed_is_not_brought_back(
    api: ApiClient, container: TestContainer, confirmed: bool
):
    number = added(api)
    assert api.post("/readers", ANN | {"confirmed": confirmed}).status_code == 409
    assert api.post(f"/readers/{number}/leave").json() == {"ended": 1}
    assert api.post(f"/readers/{number}/leave", {}).json() == {"ended": 0}
    refused = api.post("/readers", ANN | {"confirmed": confirmed})
    assert (refused.status_code, kind_of(refused)) == (409, "conflict")
    assert "unsubscribed" in refused.json()["detail"]
    assert container.query("SELECT FROM transactional_email") == []
    topics = {"subscriptions": {OWN_SLUG: {"topics": ["chips"]}}}
    changed = api.patch(f"/readers/{number}", topics, headers={"If-Match": "*"})
    assert changed.status_code == 409
    assert api.get(f"/readers/{number}").json()["subscriptions"][OWN_SLUG]["status"] == "ended"


def test_what_is_wrong_with_a_new_reader_is_named(api: ApiClient):
    for field, value in {
        "email": "no address",
        "newsletter": FOREIGN_SLUG,
        "consent": " ",
        "topics": ["gardening"],
        "time_zone": "Mars/Base",
    }.items():
        refused = api.post("/readers", ANN | {field: value})
        assert (refused.status_code, pointers(refused)) == (422, [f"#/{field}"])


def test_several_things_of_a_reader_change_together_or_not_at_all(api: ApiClient):
    number = added(api)
    stale, path = with_etag(api, number), f"/readers/{number}"
    wanted = {
        "name": "Ann B",
        "subscriptions": {
            OWN_SLUG: {"topics": ["chips"], "tags": ["vip"], "paused_until": "2026-12-24"}
        },
    }
    assert kind_of(api.patch(path, wanted)) == "precondition"
    changed = api.patch(path, wanted, headers=stale)
    own = changed.json()["subscriptions"][OWN_SLUG]
    assert (own["topics"], own["tags"], own["status"]) == (["chips"], ["vip"], "paused")
    assert kind_of(api.patch(path, {"name": "C"}, headers=stale)) == "changed"
    wrong: dict[str, Any] = {
        "name": "C",
        "subscriptions": {OWN_SLUG: {"tags": [], "time_zone": "Mars"}},
    }
    refused = api.patch(path, wrong, headers=with_etag(api, number))
    assert pointers(refused) == [f"#/subscriptions/{OWN_SLUG}/time_zone"]
    assert api.get(path).json() == changed.json()
    back = {"subscriptions": {OWN_SLUG: {"topics": None, "tags": None, "paused_until": None}}}
    own = api.patch(path, back, headers=with_etag(api, number)).json()["subscriptions"][OWN_SLUG]
    assert (own["topics"], own["tags"], own["status"]) == (None, [], "active")


def test_a_change_between_reading_and_writing_is_not_overwritten(
    api: ApiClient, container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    number, really = added(api), Records.change
    path, header = f"/readers/{number}", with_etag(api, number)

    def late(self: Records, *given: Any, **options: Any) -> None:
        container.unsubscribe("ann@example.com")
        really(self, *given, **options)

    monkeypatch.setattr(Records, "change", late)
    wanted = {"name": "C", "subscriptions": {OWN_SLUG: {"topics": ["chips"]}}}
    refused = api.patch(path, wanted, headers=header)
    assert (refused.status_code, kind_of(refused)) == (412, "changed")
    said = api.get(path).json()
    own = said["subscriptions"][OWN_SLUG]
    assert (said["name"], own["topics"], own["status"]) == ("", None, "ended")


def test_a_change_that_breaks_off_leaves_nothing_half_done(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
):
    number = added(api)
    before = api.get(f"/readers/{number}").json()

    def break_off(*_: object, **__: object) -> None:
        raise DatabaseBusy

    monkeypatch.setattr(records, "_put_tags", break_off)
    given = {"topics": ["chips"], "paused_until": "2026-12-24", "tags": ["vip"]}
    wanted = {"name": "C", "subscriptions": {OWN_SLUG: given}}
    assert api.patch(f"/readers/{number}", wanted, headers={"If-Match": "*"}).status_code == 503
    assert api.get(f"/readers/{number}").json() == before


def test_nothing_is_seen_of_other_newsletters(api: ApiClient, container: TestContainer):
    everywhere = api.with_token(make_token(container, newsletters=None))
    both = added(everywhere)
    added(everywhere, newsletter=FOREIGN_SLUG)
    theirs = added(everywhere, newsletter=FOREIGN_SLUG, email="bob@example.com")
    tags = {"subscriptions": {FOREIGN_SLUG: {"tags": ["secret"]}}}
    everywhere.patch(f"/readers/{both}", tags, headers={"If-Match": "*"})
    [line] = api.get("/readers?search=example").json()["data"]
    assert (line["statuses"], line["tags"]) == ({OWN_SLUG: "active"}, [])
    assert list(api.get(f"/readers/{both}").json()["subscriptions"]) == [OWN_SLUG]
    assert FOREIGN_SLUG not in api.get(f"/readers/{both}/history").text
    assert api.get(f"/readers/{theirs}").status_code == 404
    assert api.post(f"/readers/{both}/leave").json() == {"ended": 1}
    subscriptions = everywhere.get(f"/readers/{both}").json()["subscriptions"]
    assert subscriptions[FOREIGN_SLUG]["status"] == "active"
    kept = api.ask("DELETE", f"/readers/{both}?because=asked")
    assert (kept.status_code, kind_of(kept)) == (409, "conflict")


def test_readers_are_listed_part_by_part(api: ApiClient):
    for name in "abc":
        added(api, email=f"{name}@example.com")
    first = api.get("/readers?limit=2").json()
    rest = api.get(f"/readers?limit=2&after={first['next']}").json()
    found = [one["email"][0] for one in first["data"] + rest["data"]]
    assert (found, rest["next"]) == (["c", "b", "a"], None)
    assert len(api.get("/readers?email=B@example.com").json()["data"]) == 1
    assert api.get("/readers?email=example.com").json()["data"] == []
    assert pointers(api.get("/readers?email=a&search=b")) == ["query/search"]


def test_an_erased_reader_is_gone_and_the_log_does_not_say_who_they_were(
    api: ApiClient, container: TestContainer
):
    number = added(api)
    assert api.ask("DELETE", f"/readers/{number}").status_code == 422
    gone = api.ask("DELETE", f"/readers/{number}?because=ann@example.com asked for it")
    assert (gone.status_code, gone.text) == (204, "")
    assert api.get(f"/readers/{number}").status_code == 404
    [decision] = container.decisions.about("erasure")
    assert decision.detail["because"] == "[address] asked for it"
    assert "erased" in api.post("/readers", ANN).json()["detail"]


def test_each_look_is_recorded(api: ApiClient, container: TestContainer):
    number = added(api)
    api.get(f"/readers/{number}")
    [look] = container.decisions.about(f"subscriber {number}")
    assert (look.verb, look.actor) == ("look", "token:test (1)")
    write = api.with_token(make_token(container, Scope.READERS_WRITE))
    assert kind_of(write.patch(f"/readers/{number}", {}, headers={"If-Match": "*"})) == "forbidden"


def test_all_readers_of_a_newsletter_are_streamed(api: ApiClient, container: TestContainer):
    for name in "ba":
        added(api, email=f"{name}@example.com")
    answer = api.get(f"/readers/export?newsletter={OWN_SLUG}")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["email"] for one in lines] == ["a@example.com", "b@example.com"]
    assert api.get(f"/readers/export?newsletter={FOREIGN_SLUG}").status_code == 404
    [look] = container.decisions.about("unknown address")
    assert look.verb == "export"


def test_whoever_goes_away_leaves_no_export_open(api: ApiClient, container: TestContainer):
    for number in range(3):
        added(api, email=f"{number}@example.com")
    blocks = container.lists.exported(OWN_SLUG, Filter(), now=container.clock.now())
    next(blocks)
    blocks.close()
    sql = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND query LIKE 'COPY (SELECT json%' AND state <> 'idle'"""
    assert container.query(sql) == [(0,)]
