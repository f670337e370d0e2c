"""What would go, over the API: findings, readers, editions, and letters without working links."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.api_token import Scope
from tests.container import TODAY, TestContainer
from tests.web.api.asking import ApiClient, kind_of, make_token, pointers
from tests.web.api.issue_day import ISSUE, READERS, approved, issue_day

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    return issue_day(engine, tmp_path)


def test_the_forecast_is_what_the_plan_becomes(api: ApiClient, container: TestContainer):
    container.unsubscribe("r0@example.com")
    said = api.get(f"{ISSUE}/forecast").json()
    assert (said["people"], said["readers"], said["excluded"]) == (7, 5, 2)
    assert said["exclusions"] == {"ended": 1, "no_story": 1}
    assert said["without_story"] == [{"topics": ["robotics"], "readers": 1}]
    before = api.get(f"{ISSUE}/editions").json()
    assert [one["readers"] for one in before["data"]] == [2, 2, 1]
    assert [one["topics"] for one in before["data"] if len(one["briefs"]) == 3] == [["*"]]
    approved(api)
    container.send_issue()
    after = api.get(f"{ISSUE}/editions").json()
    assert (before["planned"], after["planned"]) == (False, True)
    forecast = [one | {"topics": None} for one in before["data"]]
    assert sorted(after["data"], key=str) == sorted(forecast, key=str)
    assert api.get(f"{ISSUE}/account").json()["exclusions"] == said["exclusions"]
    for part in ("forecast", "preflight"):
        assert kind_of(api.get(f"{ISSUE}/{part}")) == "conflict"


def test_findings_say_what_an_approval_needs(api: ApiClient, container: TestContainer):
    said = api.get(f"{ISSUE}/preflight").json()
    assert (said["can_be_approved"], said["hash"]) == (False, api.get(ISSUE).json()["hash"])
    [look] = [one for one in said["findings"] if one["grade"] == "look"]
    assert "Robotics" in look["sentence"]
    container.preflight.tick(
        container.newsletter, TODAY, content_hash=said["hash"], finding=look["key"], actor="anna"
    )
    again = api.get(f"{ISSUE}/preflight").json()
    assert again["can_be_approved"]
    [ticked] = [one["ticked"] for one in again["findings"] if one["key"] == look["key"]]
    assert ticked["by"] == "anna"


def test_a_skipped_day_has_no_forecast(api: ApiClient, container: TestContainer):
    container.skipped_days.skip(container.newsletter, TODAY, because="a feast", actor="anna")
    refused = api.get(f"{ISSUE}/forecast")
    assert (refused.status_code, "a feast" in refused.json()["detail"]) == (409, True)
    assert api.get(ISSUE).json()["skipped"]["because"] == "a feast"


def test_a_letter_is_seen_as_somebody_gets_it(api: ApiClient):
    everything = api.get(f"{ISSUE}/letter").json()
    assert everything["subject"] in everything["html"]
    assert everything["hash"] == api.get(ISSUE).json()["hash"]
    assert (everything["source"], len(everything["briefs"])) == (None, 3)
    for one in api.get(f"{ISSUE}/editions").json()["data"]:
        letter = api.get(f"{ISSUE}/letter?as=edition:{one['key']}").json()
        assert (letter["edition"], letter["briefs"]) == (one["key"], one["briefs"])
        assert letter["subject"] == one["subject"]
    text = api.get(f"{ISSUE}/letter?as=topics:chips,policy&view=text").json()
    assert (text["html"], len(text["briefs"])) == (None, 2)
    assert "To: " in api.get(f"{ISSUE}/letter?view=source").json()["source"]


@pytest.mark.parametrize("whom", ["topics:", "topics:chips,x", "edition", "reader:", "x", ""])
def test_as_whom_must_be_somebody(api: ApiClient, whom: str):
    assert pointers(api.get(f"{ISSUE}/letter?as={whom}")) == ["query/as"]


def test_why_there_is_no_letter_is_said(api: ApiClient):
    nothing = api.get(f"{ISSUE}/letter?as=topics:robotics")
    assert (nothing.status_code, "no letter is sent" in nothing.json()["detail"]) == (404, True)
    assert api.get(f"{ISSUE}/letter?as=edition:0000").status_code == 404
    assert api.get(f"{ISSUE}/letter?as=reader:nobody@example.com").status_code == 404


def test_a_readers_letter_is_a_recorded_look_and_its_links_do_nothing(
    api: ApiClient, anonymous: ApiClient, container: TestContainer
):
    email = next(iter(READERS))
    path = f"{ISSUE}/letter?as=reader:{email}"
    without = anonymous.with_token(make_token(container, Scope.ISSUES_READ))
    refused = without.get(path)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "The token lacks the scope readers:read.",
    )
    assert without.post(f"{ISSUE}/letter", {"email": email}).status_code == 403
    letter = api.get(path).json()
    assert email in letter["html"]
    assert api.post(f"{ISSUE}/letter", {"email": email}).json() == letter
    [reader] = container.subscriptions.by_email(email)
    for part in (letter["html"], letter["text"]):
        assert "/unsubscribe/" not in part
        assert "/preferences/" not in part
    looks = container.decisions.about(f"subscriber {reader.subscriber_id}")
    assert [(one.actor, one.verb) for one in looks] == [("token:test (1)", "preview")] * 2
