"""The events about an issue's letters: in the order in which they came, or letter by letter."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.api_token import Scope
from newsletter.stores import received_events
from newsletter.web.api import streams
from newsletter.web.api.access import Caller
from tests.container import TODAY, TestContainer
from tests.web.api.asking import OWN_SLUG, ApiClient, make_token, pointers
from tests.web.api.issue_day import issue_day
from tests.web.api.test_results import ids_of_reader, sent

pytestmark = pytest.mark.postgres

EVENTS = f"/events?newsletter={OWN_SLUG}&issue={TODAY}"
EXPORT = f"/events/export?newsletter={OWN_SLUG}&issue={TODAY}"


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    return issue_day(engine, tmp_path)


def report(container: TestContainer, email: str, word: str, **more: object) -> None:
    at = int(container.clock.now().timestamp())
    event = {"event": word, "email": email, "timestamp": at, "sg_event_id": f"{email} {word} {at}"}
    container.receive_events(event | more | ids_of_reader(container, email))


def test_events_are_listed_as_they_came_and_a_minute_later(
    api: ApiClient, container: TestContainer
):
    assert api.get(EVENTS).json() == {"data": [], "next": None}
    sent(api, container)
    container.clock.pass_time(seconds=60)
    assert api.get(EVENTS).json()["data"] == []  # one may yet be stored that came before
    container.clock.pass_time(seconds=1)
    first = api.get(f"{EVENTS}&limit=3").json()
    rest = api.get(f"{EVENTS}&limit=3&after={first['next']}").json()
    found = first["data"] + rest["data"]
    kinds = {"opened", "clicked", "opened_by_machine", "bounced"}
    assert (len(found), {one["kind"] for one in found}) == (4, kinds)
    assert (rest["next"], len({one["id"] for one in found})) == (None, 4)

    report(container, "r0@example.com", "open")
    container.clock.pass_time(seconds=61)
    later = api.get(f"{EVENTS}&after={found[-1]['cursor']}").json()["data"]
    assert [one["kind"] for one in later] == ["opened"]
    assert api.get(f"{EVENTS}&after={found[0]['cursor']}").json()["data"] == [*found[1:], *later]


def test_a_person_is_a_number_unless_the_token_sees_readers(
    api: ApiClient, container: TestContainer
):
    sent(api, container)
    address, own = "r2@example.com", container.settings.public_url
    report(container, address, "click", url=f"{own}/preferences/secret-token")
    report(container, address, "bounce", reason=f"550 <{address}> is full")
    container.clock.pass_time(minutes=2)
    lesser = api.with_token(make_token(container, Scope.EVENTS_READ))
    for path in (EVENTS, EXPORT):
        full, hidden = api.get(path).text, lesser.get(path).text
        assert address in full
        assert "@" not in hidden.replace("[address]", "")
        assert "secret-token" not in full + hidden
    shown = {one["kind"]: one for one in api.get(EVENTS).json()["data"]}
    reader = api.get(f"/readers?email={address}").json()["data"][0]["id"]
    assert (shown["bounced"]["reader"], shown["bounced"]["email"]) == (reader, address)
    looks = container.archive.recent(actor="token:test (1)", verb="events", cursor=None).decisions
    assert len(looks) == 3  # of those who saw addresses
    container.people.erase(reader, actor="root", because="asked")
    assert "bounced" not in api.get(EVENTS).text
    report(container, address, "bounce", reason=f"550 <{address}> is full")
    container.clock.pass_time(minutes=2)
    late = api.get(EVENTS).json()["data"][-1]
    assert (late["kind"], late["reader"], late["email"]) == ("bounced", None, None)
    assert late["reason"] == ""


def test_an_export_has_them_all_portion_by_portion(
    api: ApiClient, container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    sent(api, container)
    monkeypatch.setattr(received_events, "PORTION", 3)
    assert api.get(EXPORT).text == ""
    container.clock.pass_time(minutes=2)
    answer = api.get(EXPORT)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    listed = api.get(EVENTS).json()["data"]
    assert {one["id"] for one in lines} == {one["id"] for one in listed}
    assert len(lines) == len(listed) == 4


def test_an_export_ends_once_its_token_is_good_no_more(
    api: ApiClient, container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    sent(api, container)
    container.clock.pass_time(minutes=2)
    monkeypatch.setattr(streams, "ADMITTED_FOR", 0)
    assert len(api.get(EXPORT).text.splitlines()) == 4
    monkeypatch.setattr(Caller, "is_still_admitted", lambda _: False)
    for path in (EXPORT, f"/readers/export?newsletter={OWN_SLUG}"):
        with pytest.raises(AssertionError):  # of httpx: the answer has no end
            api.get(path)


def test_only_issues_that_the_token_sees(api: ApiClient, container: TestContainer):
    for path in ("/events", "/events/export"):
        assert api.get(f"{path}?newsletter=science&issue={TODAY}").status_code == 404
        assert api.get(f"{path}?newsletter={OWN_SLUG}&issue=2026-11-02").status_code == 404
        assert pointers(api.get(f"{path}?newsletter={OWN_SLUG}")) == ["query/issue"]
    other = api.get("/decisions?limit=1").json()["next"]
    assert pointers(api.get(f"{EVENTS}&after={other or 'WzFd'}")) == ["query/after"]
