"""Console pages that need a forecast answer at once, also where counting the readers takes long."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Engine

from newsletter.core.sign_in import SignInAccepted
from newsletter.services.forecast import ReaderCounts
from newsletter.web.console.access import cookie_name
from tests.container import TODAY, TestContainer
from tests.staff import HERE, OWN, SHELL, staff_container
from tests.web.conftest import Client

pytestmark = pytest.mark.postgres

ISSUE = f"/technology/issues/{TODAY}"
PAGES = ("/technology/today", ISSUE, f"{ISSUE}/checks", f"{ISSUE}/people")


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = staff_container(engine)
    container.receive("chips", "policy")
    container.subscribe(tmp_path, {"a@example.com": "chips", "b@example.com": "policy"})
    container.publishing.assemble(container.newsletter, TODAY)
    return container


class Visitor:
    """Somebody who is signed in, and looks at pages."""

    def __init__(self, container: TestContainer, client: Client) -> None:
        self._client = client
        token = container.staff_accounts.invite("o@example.org", [OWN], by=SHELL)
        accepted = container.staff_accounts.accept(token, "Ada", address=HERE, device="test")
        assert isinstance(accepted, SignInAccepted)
        self._cookie = f"{cookie_name(container.settings.console_url)}={accepted.token}"

    def get(self, path: str, **headers: str) -> str:
        answer = self._client.ask("GET", path, headers={"Cookie": self._cookie} | headers)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture
def visitor(container: TestContainer) -> Iterator[Visitor]:
    with start_blocking_portal() as portal:
        yield Visitor(container, Client(container.console, portal))


@pytest.fixture
def counts(container: TestContainer, monkeypatch) -> list[object]:
    """Make a count take long, the last one be too old, and collect the counts that are made."""
    forecasts, made = container.forecasts, list[object]()
    forecasts.of(container.newsletter, TODAY)
    slow = replace(forecasts._counted[container.newsletter.readers], seconds=0.5)
    forecasts._counted[container.newsletter.readers] = slow
    container.clock.pass_time(seconds=30)
    really = forecasts._count

    def count(readers) -> ReaderCounts:
        made.append(readers)
        return replace(really(readers), seconds=0.5)

    monkeypatch.setattr(forecasts, "_count", count)
    return made


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_would_wait_for_a_count_comes_at_once_and_loads_it_after(visitor, counts, path):
    first = visitor.get(f"{path}?view=dark")
    assert f'hx-get="{path}?view=dark&amp;count=1" hx-trigger="load"' in first
    assert (
        f'<noscript><div class="acts"><a class="button" href="{path}?view=dark&amp;count=1">'
        in first
    )
    assert not counts

    loaded = visitor.get(f"{path}?view=dark&count=1", **{"HX-Request": "true", "HX-Target": "main"})
    assert len(counts) == 1
    assert '<main id="main"' in loaded
    assert "hx-trigger" not in loaded
    assert "hx-trigger" not in visitor.get(path)  # they are kept now
    assert len(counts) == 1


def test_without_a_script_the_link_leads_to_the_whole_page(visitor, counts):
    page = visitor.get(f"{ISSUE}?count=1")
    assert "<!DOCTYPE html>" in page
    assert "hx-trigger" not in page
    assert len(counts) == 1


def test_what_htmx_asks_for_is_never_put_off(visitor, counts):
    assert "hx-trigger" not in visitor.get(f"{ISSUE}/people", **{"HX-Request": "true"})
    assert len(counts) == 1


def test_a_planned_issue_counts_nobody(container, visitor, counts):
    container.plan_issue()
    for path in (ISSUE, f"{ISSUE}/people"):
        assert "hx-trigger" not in visitor.get(path)
    assert not counts
