"""Webhook endpoints over the API: each token keeps those of its own newsletters."""

from typing import Any

import pytest

from newsletter.core.api_token import Scope
from newsletter.core.webhook import NewEndpoint
from newsletter.stores.webhooks import WebhookStore
from tests.alert_receiver import Receiver
from tests.container import TestContainer
from tests.web.api.asking import FOREIGN_SLUG, OWN_SLUG, ApiClient, kind_of, make_token, pointers

pytestmark = pytest.mark.postgres

HOOK = {"name": "shop", "url": "https://hooks.example.com/in", "events": ["reader.left"]}
PATH = "/webhooks/1"


def test_an_endpoint_shows_its_secret_once(api: ApiClient):
    answer = api.post("/webhooks", HOOK)
    added = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/v1/webhooks/1")
    assert added["secret"].startswith("whsec_")
    assert set(added["webhook"]["newsletters"]) == {OWN_SLUG, f"{OWN_SLUG}-weekly"}
    assert "secret" not in api.get(PATH).json()
    rotated = api.post(f"{PATH}/rotate").json()
    assert rotated["secret"] != added["secret"]
    assert rotated["webhook"]["former_secret_until"]
    assert api.post("/webhooks", HOOK).status_code == 409
    assert [one["id"] for one in api.get("/webhooks").json()["data"]] == [1]


def test_a_token_for_some_newsletters_keeps_no_endpoint_of_others(
    api: ApiClient, container: TestContainer
):
    everywhere = api.with_token(make_token(container, newsletters=None))
    everywhere.post("/webhooks", HOOK)
    everywhere.post("/webhooks", HOOK | {"name": "far", "newsletters": [FOREIGN_SLUG]})
    assert api.get("/webhooks").json()["data"] == []
    assert api.get(PATH).status_code == 404
    assert api.post("/webhooks/2/rotate").status_code == 404
    refused = api.post("/webhooks", HOOK | {"name": "mine", "newsletters": [FOREIGN_SLUG]})
    assert pointers(refused) == ["#/newsletters"]


def test_addresses_need_a_token_that_sees_readers(api: ApiClient, container: TestContainer):
    lesser = api.with_token(make_token(container, Scope.WEBHOOKS_WRITE))
    assert kind_of(lesser.post("/webhooks", HOOK | {"addresses": True})) == "forbidden"
    api.post("/webhooks", HOOK | {"addresses": True})
    match = {"If-Match": "*"}
    moved = lesser.patch(PATH, {"url": "https://elsewhere.example.com/"}, headers=match)
    assert kind_of(moved) == "forbidden"
    assert lesser.patch(PATH, {"addresses": False}, headers=match).status_code == 200


def test_an_endpoint_changes_pauses_and_goes(api: ApiClient, container: TestContainer):
    api.post("/webhooks", HOOK)
    stale = {"If-Match": api.get(PATH).headers["ETag"]}
    assert kind_of(api.patch(PATH, {"name": "till"})) == "precondition"
    changed = api.patch(PATH, {"name": "till", "events": ["brief.held"]}, headers=stale)
    assert (changed.json()["name"], changed.json()["events"]) == ("till", ["brief.held"])
    assert kind_of(api.patch(PATH, {"name": "x"}, headers=stale)) == "changed"
    match = {"If-Match": changed.headers["ETag"]}
    assert pointers(api.patch(PATH, {"state": "paused"}, headers=match)) == ["#/because"]
    paused = api.patch(PATH, {"state": "paused", "because": "it moves"}, headers=match)
    assert (paused.json()["state"], "it moves" in paused.json()["reason"]) == ("paused", True)
    unfit = api.patch(PATH, {"url": "http://plain.example.com"}, headers={"If-Match": "*"})
    assert (unfit.status_code, pointers(unfit)) == (422, ["#/url"])
    unfit = api.post("/webhooks", HOOK | {"name": "b", "url": "ftp://hooks.example.com"})
    assert (unfit.status_code, pointers(unfit)) == (422, ["#/url"])
    verbs = [one.verb for one in container.decisions.about("webhook 1")]
    assert verbs == ["add webhook", "change webhook", "pause"]
    assert api.ask("DELETE", PATH).status_code == 204
    assert api.get(PATH).status_code == 404


def test_a_change_between_reading_and_writing_is_not_overwritten(
    api: ApiClient, container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    api.post("/webhooks", HOOK)
    etag, store = api.get(PATH).headers["ETag"], WebhookStore.change

    def late(self: WebhookStore, number: int, new: NewEndpoint, **options: Any) -> bool:
        monkeypatch.setattr(WebhookStore, "change", store)
        container.webhooks.pause(number, actor="eve", because="first")
        return self.change(number, new, **options)

    monkeypatch.setattr(WebhookStore, "change", late)
    refused = api.patch(PATH, {"name": "till"}, headers={"If-Match": etag})
    assert (refused.status_code, kind_of(refused)) == (412, "changed")
    assert (api.get(PATH).json()["name"], api.get(PATH).json()["state"]) == ("shop", "paused")


def test_a_ping_is_posted_at_once(api: ApiClient, container: TestContainer, receiver: Receiver):
    """To a program on this machine, over a real connection."""
    url = receiver.url.replace("json:", "http:")
    api.post("/webhooks", HOOK | {"url": url})
    answer = api.post(f"{PATH}/test")
    assert (answer.json()["type"], answer.json()["status"]) == ("ping", 200), answer.text
    [posted] = receiver.posted
    assert (posted["type"], posted["id"]) == ("ping", answer.json()["event"])
    receiver.status = 500
    failed = api.post(f"{PATH}/test").json()
    assert (failed["status"], len(receiver.posted)) == (500, 2)
    assert container.decisions.about("webhook 1")[-1].verb == "test webhook"


def test_what_was_posted_is_listed_and_posted_again(api: ApiClient, container: TestContainer):
    api.post("/webhooks", HOOK | {"events": ["reader.joined"]})
    for name in "ab":
        given = {"email": f"{name}@example.com", "newsletter": OWN_SLUG, "consent": "asked"}
        api.post("/readers", given | {"confirmed": True})
    first = api.get(f"{PATH}/deliveries?limit=1").json()
    rest = api.get(f"{PATH}/deliveries?limit=1&after={first['next']}").json()
    [old] = rest["data"]
    assert (old["type"], old["state"], rest["next"]) == ("reader.joined", "waiting", None)
    again = api.post(f"{PATH}/deliveries/{old['id']}/send-again")
    assert (again.status_code, again.json()["event"]) == (200, old["event"])
    assert api.post(f"{PATH}/deliveries/999/send-again").status_code == 404
