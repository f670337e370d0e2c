"""Issues over the API: read, edited, assembled; each edit names what it was made on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.container import TODAY, TestContainer, brief
from tests.web.api.asking import FOREIGN_SLUG, ApiClient, kind_of, make_token, pointers
from tests.web.api.issue_day import BECAUSE, ISSUE, approved, issue_day, status

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    return issue_day(engine, tmp_path)


def edit(api: ApiClient, etag: str = "", **patch: Any) -> httpx.Response:
    headers = {"If-Match": etag or api.get(ISSUE).headers["ETag"]}
    return api.patch(ISSUE, patch, headers=headers)


def titles(answer: httpx.Response) -> list[str]:
    return [one["title"] for one in answer.json()["issue"]["stories"]]


def test_an_issue_says_what_is_in_it(api: ApiClient, container: TestContainer):
    answer = api.get(ISSUE)
    said, stored = answer.json(), container.publishing.issue(container.newsletter, TODAY)
    assert (said["status"], said["hash"], said["counts"]) == ("draft", stored.content_hash, None)
    assert said["order"] == [one["brief"] for one in said["stories"]]
    assert said["stories"][0]["lead"]
    assert stored.content_hash in answer.headers["ETag"]
    assert api.get(f"/issues/technology/{TODAY.replace(day=1)}").status_code == 404
    assert api.get("/issues/technology/0001-01-01").status_code == 404


def test_issues_are_listed_part_by_part(api: ApiClient, container: TestContainer):
    weekly = container.settings.newsletters["technology-weekly"]
    container.publishing.assemble(weekly, TODAY)
    container.publishing.assemble(container.settings.newsletters[FOREIGN_SLUG], TODAY)
    first = api.get("/issues?limit=1").json()
    second = api.get(f"/issues?limit=1&after={first['next']}").json()
    shown = [one["newsletter"] for page in (first, second) for one in page["data"]]
    assert (shown, second["next"]) == (["technology-weekly", "technology"], None)
    assert second["data"][0] | {"subject": ""} == {
        "newsletter": "technology", "date": str(TODAY), "number": 1, "status": "draft",
        "subject": "", "stories": 3, "readers": 0, "approved_by": None,
    }  # fmt: skip
    edit(api, subject="Of water")
    [line] = api.get("/issues?newsletter=technology").json()["data"]
    assert line["subject"] == "Of water"
    assert api.get("/issues?status=sent").json()["data"] == []
    assert api.get(f"/issues?newsletter={FOREIGN_SLUG}").status_code == 404


def test_several_things_are_edited_at_once(api: ApiClient, container: TestContainer):
    first, second, third = api.get(ISSUE).json()["order"]
    edited = edit(
        api,
        subject="Three of\n today ",
        note="Read [this](https://example.org/).",
        order=[third, second],
        left_out=[first],
        lead=third,
        short_lines={str(second): "The second"},
    )
    said = edited.json()["issue"]
    assert (said["order"], said["left_out"], said["lead"]) == ([third, second], [first], third)
    assert (said["subject"], said["about"]) == ("Three of today", third)
    assert said["short_lines"] == {str(second): "The second"}
    assert said["stories"][0]["lead"]
    assert any("was taken out" in one for one in edited.json()["changes"])
    assert api.get(ISSUE).headers["ETag"] == edited.headers["ETag"]
    back = edit(api, subject=None, note=None, order=None, left_out=None, lead=None, short_lines={})
    assert back.json()["issue"]["order"] == [first, second, third]
    assert back.json()["issue"]["short_lines"] == {str(second): "The second"}
    assert edit(api, short_lines=None).json()["issue"]["short_lines"] == {}
    decisions = container.decisions.about("issue 1")
    assert [(one.actor, one.verb) for one in decisions] == [("token:test (1)", "edit")] * 3


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"order": [1]}, "#/order"),
        ({"order": [1, 2, 3, 99]}, "#/order/3"),
        ({"order": [1, 2, 3, 1]}, "#/order/3"),
        ({"order": [2, 1, 3], "lead": 1}, "#/order"),
        ({"left_out": [1, 99]}, "#/left_out/1"),
        ({"left_out": [1], "lead": 1}, "#/lead"),
        ({"short_lines": {"99": "x"}}, "#/short_lines/99"),
        ({"short_lines": {"1": "x" * 101}}, "#/short_lines/1"),
        ({"subject": "x" * 101}, "#/subject"),
        ({"subject": "x", "about": 99}, "#/about"),
        ({"preheader": "x" * 101}, "#/preheader"),
        ({"note": "-nl_subject-"}, "#/note"),
        ({"lead": "one"}, "#/lead"),
        ({"topic": 1}, "#/topic"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_of_it_is_done(
    api: ApiClient, patch: dict[str, Any], pointer: str
):
    before = api.get(ISSUE)
    refused = edit(api, **{"note": "It is fine."} | patch)
    assert (refused.status_code, pointers(refused)) == (422, [pointer])
    assert api.get(ISSUE).json() == before.json()


def test_an_edit_names_the_draft_that_it_was_made_on(api: ApiClient, container: TestContainer):
    etag = api.get(ISSUE).headers["ETag"]
    assert kind_of(api.patch(ISSUE, {"note": "x"})) == "precondition"
    assert edit(api, etag, note="first").status_code == 200
    assert kind_of(edit(api, etag, note="second")) == "changed"
    container.intake.hold(1, actor="anna")
    unset = edit(api, note="fourth")
    assert (unset.status_code, kind_of(unset)) == (412, "changed")
    assert api.get(ISSUE).json()["note"] == "first"


def test_an_issue_prints_a_story_and_an_approved_one_is_frozen(api: ApiClient):
    assert kind_of(edit(api, left_out=api.get(ISSUE).json()["order"])) == "conflict"
    assert approved(api).status_code == 200
    frozen = edit(api, note="x")
    assert (frozen.status_code, kind_of(frozen)) == (409, "conflict")
    assert "take the approval back" in frozen.json()["detail"]


def test_what_differs_from_what_was_approved_is_said(api: ApiClient):
    approved(api)
    assert api.get(ISSUE).json()["differs"] == []
    api.post(f"{ISSUE}/withdraw", BECAUSE)
    edited = edit(api, note="Something is other now.").json()["issue"]
    assert (edited["differs"], edited["approval"]) == (["the editors’ note changed"], None)


def test_assembling_takes_in_what_came_since(api: ApiClient, container: TestContainer):
    container.intake.receive(brief("software"))
    [waiting] = api.get(ISSUE).json()["not_chosen"]
    assert waiting["reason"] == "it came, or was accepted, after the issue was set"
    assembled = api.post(f"{ISSUE}/assemble", headers={"Idempotency-Key": "one"})
    assert waiting["brief"] in assembled.json()["order"]
    again = api.post(f"{ISSUE}/assemble", headers={"Idempotency-Key": "one"})
    assert (again.headers["ETag"], again.headers["Idempotency-Replayed"]) == (
        assembled.headers["ETag"],
        "true",
    )
    assert kind_of(api.post("/issues/technology/2031-01-01/assemble")) == "conflict"
    assert kind_of(api.post("/issues/technology/2020-01-01/assemble")) == "conflict"


def test_a_digest_is_an_issue_too(anonymous: ApiClient, container: TestContainer):
    api = anonymous.with_token(make_token(container, lifetime=timedelta(days=9)))
    approved(api)
    container.send_issue()
    saturday = TODAY + timedelta(days=5)
    container.clock.pass_time(hours=5 * 24)
    path = f"/issues/technology-weekly/{saturday}"
    assembled = api.post(f"{path}/assemble").json()
    assert (assembled["newsletter"], len(assembled["stories"])) == ("technology-weekly", 3)
    for part in ("", "/preflight", "/forecast", "/editions", "/letter"):
        assert api.get(path + part).status_code == 200, part
    others = make_token(container, newsletters=[FOREIGN_SLUG], lifetime=timedelta(days=9))
    assert anonymous.with_token(others).get(path).status_code == 404


@pytest.mark.parametrize("text", ["\u0001", "\ufffe", "\u202e", "\U0001f600" * 20, "<b>&amp;"])
def test_strange_characters_are_printed_or_refused(api: ApiClient, text: str):
    for field in ("subject", "preheader", "note"):
        assert edit(api, **{field: f"Strange {text}"}).status_code in {200, 422}
    assert edit(api, short_lines={"1": f"Strange {text}"}).status_code in {200, 422}
    assert status(api) == "draft"
