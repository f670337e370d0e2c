"""Reading along: decisions and notices, of the newsletters that a token sees."""

from datetime import timedelta

import pytest

from newsletter.core.api_token import Scope
from newsletter.core.operator_alert import unknown_batch_alert
from tests.container import TODAY, TestContainer
from tests.web.api.asking import FOREIGN_SLUG, OWN_SLUG, ApiClient, make_token

pytestmark = pytest.mark.postgres


def test_decisions_are_those_of_the_tokens_newsletters(api: ApiClient, container: TestContainer):
    for slug in (OWN_SLUG, FOREIGN_SLUG, None, OWN_SLUG):
        detail = {"who": ["ann@example.com"], "ann@example.com": 1}
        container.decisions.record("eve@example.com", "day 1", "skip", detail, newsletter=slug)
    first = api.get("/decisions?limit=1").json()
    rest = api.get(f"/decisions?after={first['next']}").json()
    found = first["data"] + rest["data"]
    assert [one["newsletter"] for one in found] == [OWN_SLUG, OWN_SLUG]
    assert found[0]["detail"]["who"] == ["ann@example.com"]
    lesser = api.with_token(make_token(container, Scope.LOG_READ))
    assert "@" not in lesser.get("/decisions").text
    everywhere = api.with_token(make_token(container, newsletters=None))
    assert len(everywhere.get("/decisions").json()["data"]) > 4
    assert api.get(f"/decisions?newsletter={FOREIGN_SLUG}").status_code == 404


def test_a_notice_is_taken_once(api: ApiClient, container: TestContainer):
    for slug in (OWN_SLUG, FOREIGN_SLUG):
        alert = unknown_batch_alert(slug, TODAY - timedelta(days=1))
        container.schedule_store.queue_alert(alert, container.clock.now())
    [notice] = api.get("/notices").json()["data"]
    assert (notice["newsletter"], notice["open"], notice["taken_by"]) == (OWN_SLUG, False, None)
    path = f"/notices/{notice['id']}/take"
    assert api.post(path).json()["taken_by"] == "token:test (1)"
    other = api.with_token(make_token(container, name="other"))
    assert other.post(path).status_code == 409
    assert api.post(f"/notices/{notice['id'] + 1}/take").status_code == 404
