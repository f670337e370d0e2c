"""What belongs to another newsletter is shown to nobody who has no role there."""

from pathlib import Path

import httpx
import pytest

from newsletter.services.planning import SendChecks
from tests.container import TODAY, TestContainer
from tests.web.console.serving import FOREIGN_SLUG, OWN_SLUG, ConsoleClient

pytestmark = pytest.mark.postgres

READER = "elsewhere@example.com"


@pytest.fixture
def of_science(container: TestContainer, tmp_path: Path) -> int:
    """Somebody who reads the other newsletter only; the number of their subscription."""
    container.subscribe(tmp_path, {READER: "chips"}, newsletter=FOREIGN_SLUG)
    [subscription] = container.subscriptions.by_email(READER)
    return subscription.id


TAILS = pytest.mark.parametrize("tail", ["", "/letter", "/letter.eml"])
ISSUE = f"/{OWN_SLUG}/issues/{TODAY}"


def looked(client: ConsoleClient, address: str) -> str:
    """Look at the letter of this reader; return what its link names."""
    led = client.post(f"{ISSUE}/as-reader", address=address).headers["location"]
    return led.partition("?whom=")[2]


def ask(client: ConsoleClient, tail: str, whom: str) -> httpx.Response:
    return client.get(f"{ISSUE}{tail}?whom={whom}&count=1")


@TAILS
def test_no_number_shows_a_reader_only_a_recorded_look_does(
    tail: str, container: TestContainer, members: dict[str, ConsoleClient], of_science: int
):
    container.publishing.assemble(container.newsletter, TODAY)
    [own] = container.subscriptions.by_email("reader@example.com")
    keeper = members["keep-list"]
    for number in (own.id, of_science):
        answer = ask(keeper, tail, f"reader:{number}")
        assert answer.status_code == 404 or "enter the address again" in answer.text
    assert ask(keeper, tail, looked(keeper, READER)).status_code in {200, 404}
    assert looked(keeper, READER) == "reader:none"

    whom = looked(keeper, "reader@example.com")
    last = container.decisions.recent().decisions[0]
    assert (last.subject, last.verb) == (f"subscriber {own.subscriber_id}", "preview")
    answer = ask(keeper, tail, whom)
    assert answer.status_code == 200
    assert "enter the address again" not in answer.text


@TAILS
def test_a_look_is_ones_own_and_lasts_an_hour(
    tail: str, container: TestContainer, members: dict[str, ConsoleClient]
):
    container.publishing.assemble(container.newsletter, TODAY)
    keeper = members["keep-list"]
    whom = looked(keeper, "reader@example.com")
    others = ask(members["own"], tail, whom)
    assert others.status_code == 404 or "enter the address again" in others.text
    for _ in range(2):
        container.clock.pass_time(minutes=31)
        keeper.get("/account")
    late = ask(keeper, tail, whom)
    assert late.status_code == 404 or "enter the address again" in late.text


def test_a_list_of_readers_behind_a_number_is_in_the_log(
    container: TestContainer, members: dict[str, ConsoleClient], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(SendChecks, "refuse_obstacles", lambda *_: None)
    container.publishing.assemble(container.newsletter, TODAY)
    container.publishing.approve(container.newsletter, TODAY, actor="a@example.org")
    container.plan_issue()
    keeper, path = members["keep-list"], f"{ISSUE}/people/skipped"
    assert keeper.get(path).status_code == 405
    assert keeper.post(path, reason="").status_code == 200
    last = container.decisions.recent().decisions[0]
    assert (last.actor, last.verb) == ("keep-list@example.org", "list readers")
    assert last.detail["group"] == "skipped"


def test_a_readers_page_shows_what_concerns_this_newsletter_only(
    container: TestContainer, members: dict[str, ConsoleClient], of_science: int, tmp_path: Path
):
    container.subscribe(tmp_path, {READER: "security"})
    number = container.subscriptions.by_email(READER)[0].subscriber_id
    page = members["keep-list"].post(f"/{OWN_SLUG}/readers/{number}").text
    assert READER in page
    assert FOREIGN_SLUG not in page
    assert FOREIGN_SLUG in members["own"].post(f"/{OWN_SLUG}/readers/{number}").text


def test_each_look_at_a_readers_record_is_in_the_log(
    container: TestContainer, members: dict[str, ConsoleClient]
):
    number = container.subscriptions.by_email("reader@example.com")[0].subscriber_id
    members["keep-list"].post(f"/{OWN_SLUG}/readers/{number}")
    last = container.decisions.recent().decisions[0]
    assert (last.subject, last.verb) == (f"subscriber {number}", "look")
    assert last.actor == "keep-list@example.org"


def test_the_log_shows_a_person_the_newsletters_that_they_may_see(
    container: TestContainer, members: dict[str, ConsoleClient]
):
    for slug in (OWN_SLUG, FOREIGN_SLUG):
        container.decisions.record("shell", f"day {slug}", f"skip {slug}", {}, newsletter=slug)
    seen = members["see"].get(f"/{OWN_SLUG}/log").text
    assert f"skip {OWN_SLUG}" in seen
    assert f"skip {FOREIGN_SLUG}" not in seen
    assert "elsewhere@example.org" not in seen  # the staff is the owners' concern
    everything = members["own"].get(f"/{OWN_SLUG}/log").text
    assert f"skip {FOREIGN_SLUG}" in everything
    assert "elsewhere@example.org" in everything
