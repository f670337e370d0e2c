"""Briefs that a program changes: a merge patch of what it has read, holding, and accepting."""

from typing import Any

import pytest

from newsletter.core.api_token import Scope
from newsletter.stores.briefs import BriefStore
from tests.container import TestContainer
from tests.web.api.asking import FOREIGN_SLUG, ApiClient, given_brief, kind_of, make_token, pointers

pytestmark = pytest.mark.postgres


@pytest.fixture
def brief_id(api: ApiClient) -> int:
    """A brief that was handed over and accepted."""
    [receipt] = api.post("/briefs", given_brief()).json()["data"]
    assert receipt["status"] == "accepted"
    return receipt["brief"]["id"]


def read(api: ApiClient, brief_id: int) -> dict[str, str]:
    """Return the header of a change of what is there now."""
    return {"If-Match": api.get(f"/briefs/{brief_id}").headers["ETag"]}


def test_a_patch_changes_the_fields_that_it_names(
    api: ApiClient, brief_id: int, container: TestContainer
):
    before = api.get(f"/briefs/{brief_id}").json()
    changes = {
        "title": "A laboratory grows &lt;b&gt; crystals",
        "source": "Other Wire",
        "topics": ["Chips"],
        "body": ["<em>Slowly</em>, it says.<script>x</script>"],
        "minutes": None,
    }
    answer = api.patch(f"/briefs/{brief_id}", changes, headers=read(api, brief_id))
    assert answer.status_code == 200
    after = answer.json()
    assert after["title"] == "A laboratory grows <b> crystals"
    assert (after["source"], after["topics"], after["minutes"]) == ("Other Wire", ["chips"], 0)
    assert after["body"] == ["<em>Slowly</em>, it says."]
    same = ("summary", "source_url", "verification", "key", "pillar", "published", "importance")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert answer.headers["ETag"] == api.get(f"/briefs/{brief_id}").headers["ETag"]
    assert container.briefs.revisions(brief_id)[-1].by == "token:test (1)"
    assert container.decisions.about(f"brief {brief_id}")[-1].verb == "edit"


def test_a_change_names_what_it_has_read(api: ApiClient, brief_id: int):
    path, stale = f"/briefs/{brief_id}", read(api, brief_id)
    assert kind_of(api.patch(path, {"minutes": 4})) == "precondition"
    api.patch(path, {"minutes": 4}, headers=stale)
    refused = api.patch(path, {"minutes": 5}, headers=stale)
    assert (refused.status_code, kind_of(refused)) == (412, "changed")
    assert api.get(path).json()["minutes"] == 4
    several = {"If-Match": f"{stale['If-Match']}, {read(api, brief_id)['If-Match']}"}
    assert api.patch(path, {"minutes": 6}, headers=several).status_code == 200
    assert api.patch(path, {"minutes": 7}, headers={"If-Match": "*"}).json()["minutes"] == 7


@pytest.mark.parametrize("act", ["patch", "accept", "hold"])
def test_a_change_between_reading_and_writing_is_not_overwritten(
    act: str,
    api: ApiClient,
    brief_id: int,
    container: TestContainer,
    monkeypatch: pytest.MonkeyPatch,
):
    path, header = f"/briefs/{brief_id}", read(api, brief_id)
    writing = "save" if act == "patch" else "decide"
    really = getattr(BriefStore, writing)

    def late(self: BriefStore, *given: Any, **options: Any) -> Any:
        monkeypatch.setattr(BriefStore, writing, really)
        container.intake.hold(brief_id, actor="eve", because="first")
        return really(self, *given, **options)

    monkeypatch.setattr(BriefStore, writing, late)
    if act == "patch":
        refused = api.patch(path, {"minutes": 9}, headers=header)
    else:
        refused = api.post(f"{path}/{act}", {"because": "fine"}, headers=header)
    assert (refused.status_code, kind_of(refused)) == (412, "changed")
    said = api.get(path).json()
    assert (said["held_by"], said["minutes"]) == ("eve", 2)
    assert [one.actor for one in container.decisions.about(f"brief {brief_id}")[1:]] == ["eve"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"titel": "a slip"}, "#/titel"),
        ({"key": "another"}, "#/key"),
        ({"pillar": "Science"}, "#/pillar"),
        ({"title": None}, "#/title"),
        ({"minutes": "two"}, "#/minutes"),
        ({"topics": ["boats"]}, "#/topics"),
        ({"published": "yesterday"}, "#/published"),
    ],
)
def test_what_is_wrong_with_a_patch_is_named(
    change: dict[str, object], pointer: str, api: ApiClient, brief_id: int
):
    refused = api.patch(f"/briefs/{brief_id}", change, headers=read(api, brief_id))
    assert (refused.status_code, pointers(refused)) == (422, [pointer])
    assert api.get(f"/briefs/{brief_id}").json()["revision"] == 1


def test_a_brief_is_held_and_accepted_again_with_reasons(
    api: ApiClient, brief_id: int, container: TestContainer
):
    path, accepted = f"/briefs/{brief_id}", read(api, brief_id)
    held = api.post(f"{path}/hold", {"because": "its source was called"})
    assert (held.json()["status"], held.json()["held_by"]) == ("held", "token:test (1)")
    # A hold is a change: who has read the brief before it may not overrule it unseen.
    assert kind_of(api.post(f"{path}/accept", {"because": "fine"}, headers=accepted)) == "changed"
    assert kind_of(api.post(f"{path}/accept", {"because": "fine"})) == "precondition"
    again = api.post(
        f"{path}/accept", {"because": "it answered"}, headers={"If-Match": held.headers["ETag"]}
    )
    assert (again.json()["status"], again.json()["held_by"]) == ("accepted", None)
    said = [(one.verb, one.detail) for one in container.decisions.about(f"brief {brief_id}")]
    assert said[1:] == [
        ("hold", {"because": "its source was called"}),
        ("accept", {"waived": [], "because": "it answered"}),
    ]


def test_a_program_that_hands_over_what_it_holds_brings_it_back(
    api: ApiClient, anonymous: ApiClient, brief_id: int, container: TestContainer
):
    path, because = f"/briefs/{brief_id}", {"because": "its post was taken down"}
    api.post(f"{path}/hold", because)
    another = anonymous.with_token(make_token(container, name="another"))
    [receipt] = another.post("/briefs", given_brief()).json()["data"]
    assert (receipt["arrival"], receipt["status"]) == ("unchanged", "held")
    [receipt] = api.post("/briefs", given_brief()).json()["data"]
    assert (receipt["arrival"], receipt["status"]) == ("unchanged", "accepted")
    verbs = [one.verb for one in container.decisions.about(f"brief {brief_id}")]
    assert verbs == ["write", "hold", "bring back"]
    # What was changed meanwhile is not what it handed over.
    api.patch(path, {"minutes": 4}, headers=read(api, brief_id))
    api.post(f"{path}/hold", because)
    assert api.post("/briefs", given_brief()).json()["data"][0]["status"] == "held"


def test_no_program_ends_a_persons_hold(api: ApiClient, brief_id: int, container: TestContainer):
    path, key = f"/briefs/{brief_id}", container.briefs.get(brief_id).brief.key
    container.intake.hold(brief_id, actor="anna@example.org")
    held = api.post(f"{path}/hold", {"because": "its post was taken down"})
    assert held.json()["held_by"] == "anna@example.org"
    header = {"If-Match": held.headers["ETag"]}
    assert kind_of(api.post(f"{path}/accept", {"because": "x"}, headers=header)) == "conflict"
    for given in (given_brief(), given_brief(title="A laboratory grows amber in one hour")):
        [receipt] = api.post("/briefs", given | {"key": key}).json()["data"]
        assert receipt["status"] == "held"
        assert receipt["brief"]["held_by"] == "anna@example.org"
    assert receipt["arrival"] == "revised"
    container.intake.accept(brief_id, actor="anna@example.org")
    assert api.get(path).json()["status"] == "accepted"


def test_a_reason_is_needed(api: ApiClient, brief_id: int):
    refused = api.post(f"/briefs/{brief_id}/hold", {"because": ""})
    assert (refused.status_code, pointers(refused)) == (422, ["#/because"])


def test_what_nobody_may_accept_stays_held(api: ApiClient):
    [receipt] = api.post("/briefs", given_brief(source_url="")).json()["data"]
    path = f"/briefs/{receipt['brief']['id']}"
    refused = api.post(
        f"{path}/accept", {"because": "x"}, headers=read(api, receipt["brief"]["id"])
    )
    assert (refused.status_code, kind_of(refused)) == (409, "conflict")


def test_another_newsletters_brief_is_not_there(
    anonymous: ApiClient, container: TestContainer, brief_id: int
):
    token = make_token(container, Scope.BRIEFS_WRITE, newsletters=[FOREIGN_SLUG])
    foreign, every = anonymous.with_token(token), {"If-Match": "*"}
    assert foreign.patch(f"/briefs/{brief_id}", {}, headers=every).status_code == 404
    for verb in ("hold", "accept"):
        path = f"/briefs/{brief_id}/{verb}"
        assert foreign.post(path, {"because": "x"}, headers=every).status_code == 404
