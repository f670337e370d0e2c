"""Briefs over the API: handed over, each with its receipt, and read back."""

from datetime import timedelta

import pytest

from newsletter.core.api_token import Scope
from newsletter.core.verification import CHECKS
from tests.container import TestContainer, brief
from tests.web.api.asking import FOREIGN_SLUG, ApiClient, given_brief, kind_of, make_token, pointers

pytestmark = pytest.mark.postgres

PAGE = """<html><body><div>Technology Daily Brief</div><h1>A foundry halves the water it needs</h1>
<div><span>3 min read</span> <span>Example Wire</span> <span>Verified</span> <span>M</span></div>
<p>The plant now filters what it used to let go, and a whole chip village has its river back.</p>
<a href="https://example.org/water">View Source</a><h3>More Technology intelligence</h3></body>"""


def test_a_brief_is_received_once_with_every_finding(api: ApiClient, container: TestContainer):
    first = api.post("/briefs", given_brief())
    [receipt] = first.json()["data"]
    assert (first.status_code, receipt["status"], receipt["arrival"]) == (200, "accepted", "new")
    assert len(receipt["brief"]["findings"]) == len(CHECKS)
    [again] = api.post("/briefs", given_brief()).json()["data"]
    assert again["arrival"] == "unchanged"
    assert again["brief"] == receipt["brief"]
    [decision] = container.decisions.about(f"brief {receipt['brief']['id']}")
    assert (decision.actor, decision.verb) == ("token:test (1)", "write")
    assert decision.network == "127.0.0.1"


def test_one_bad_item_does_not_stop_its_neighbours(api: ApiClient):
    answer = api.post(
        "/briefs",
        [
            given_brief(1),
            given_brief(2, titel="a slip"),
            given_brief(3, verification="unverified"),
            given_brief(4, source_url=""),
            "no brief",
            given_brief(5, pillar="Science"),
            given_brief(6, published="yesterday"),
            given_brief(1, summary="Another text of the same brief, which is long enough for it."),
            {"page": "<p>nothing"},
        ],
    )
    receipts = answer.json()["data"]
    assert answer.status_code == 200
    assert [one["status"] for one in receipts] == [
        "accepted", "invalid", "rejected", "held", "invalid", "invalid", "invalid", "accepted",
        "invalid",
    ]  # fmt: skip
    assert [one["item"] for one in receipts] == list(range(9))
    assert receipts[7]["arrival"] == "revised"
    assert receipts[2]["brief"]["reasons"] == [
        "The brief is labelled unverified, and is never printed."
    ]
    wrong = [error["pointer"] for one in receipts for error in one["errors"]]
    assert wrong == ["#/1/titel", "#/4", "#/5/pillar", "#/6/published", "#/8/page"]


def test_the_hubs_own_page_is_a_brief(api: ApiClient):
    [receipt] = api.post("/briefs", {"page": PAGE}).json()["data"]
    assert receipt["brief"]["title"] == "A foundry halves the water it needs"
    assert receipt["status"] == "accepted"


def test_a_brief_alone_that_is_invalid_is_a_problem(api: ApiClient):
    refused = api.post("/briefs", given_brief(titel="a slip", title=7))
    assert (refused.status_code, kind_of(refused)) == (422, "invalid")
    assert sorted(pointers(refused)) == ["#/titel", "#/title"]
    assert pointers(api.post("/briefs", [])) == ["#"]


def test_another_newsletters_brief_is_neither_seen_nor_overwritten(
    api: ApiClient, container: TestContainer
):
    science = container.intake.receive(brief(pillar="Science")).stored
    assert api.get(f"/briefs/{science.brief_id}").status_code == 404
    assert api.get("/briefs").json()["data"] == []
    refused = api.post("/briefs", given_brief(key=science.brief.key))
    assert (refused.status_code, pointers(refused)) == (422, ["#/key"])
    assert container.briefs.get(science.brief_id) == science


def test_briefs_are_listed_from_the_newest_part_by_part(api: ApiClient, container: TestContainer):
    api.post("/briefs", [given_brief(number) for number in range(1, 6)])
    found, path = list[int](), "/briefs?limit=2"
    for _ in range(3):
        answer = api.get(path)
        found += [one["id"] for one in answer.json()["data"]]
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("</api/v1")
    assert found == sorted(found, reverse=True)
    assert (len(found), path, answer.json()["next"]) == (5, "", None)


def test_briefs_are_filtered_by_day_and_status(api: ApiClient, container: TestContainer):
    api.post("/briefs", [given_brief(1), given_brief(2, source_url="")])
    today = container.clock.now().date()
    container.intake.hold(1, actor="anna")
    held = api.get(f"/briefs?status=held&on={today}&newsletter=technology").json()["data"]
    assert [one["id"] for one in held] == [2, 1]
    assert held[1]["reasons"] == ["Held by anna."]
    assert api.get("/briefs?status=accepted").json()["data"] == []
    assert api.get(f"/briefs?on={today - timedelta(days=1)}").json()["data"] == []
    assert api.get(f"/briefs?newsletter={FOREIGN_SLUG}").status_code == 404


@pytest.mark.parametrize(
    "after",
    ["x", "WyJpc3N1ZXMiLCAxXQ", "WyJicmllZnMiLCAwXQ", "WyJicmllZnMiLCB0cnVlXQ", "%00", "W1tb"],
)
def test_a_strange_cursor_is_named(api: ApiClient, after: str):
    refused = api.get(f"/briefs?after={after}")
    assert (refused.status_code, pointers(refused)) == (422, ["query/after"])


def test_one_brief_bears_its_revision(api: ApiClient):
    api.post("/briefs", given_brief())
    first = api.get("/briefs/1").headers["ETag"]
    api.post("/briefs", given_brief(minutes=3))
    answer = api.get("/briefs/1")
    assert (answer.json()["revision"], answer.json()["minutes"]) == (2, 3)
    assert answer.headers["ETag"] != first
    assert kind_of(api.get("/briefs/2")) == "not-found"


def test_a_token_sees_its_newsletters_and_their_digests(
    api: ApiClient, container: TestContainer, anonymous: ApiClient
):
    shown = [one["slug"] for one in api.get("/newsletters").json()["data"]]
    assert shown == ["technology", "technology-weekly"]
    everywhere = anonymous.with_token(make_token(container, Scope.LOG_READ, newsletters=None))
    assert len(everywhere.get("/newsletters").json()["data"]) == 3
