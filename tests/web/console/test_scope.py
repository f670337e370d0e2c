"""What belongs to another newsletter is shown to nobody who has no role there."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize("tail", ["", "/letter", "/letter.eml"])
def test_a_number_in_an_address_shows_no_reader_of_another_newsletter(
    tail: str, container: TestContainer, members: dict[str, ConsoleClient], of_science: int
):
    container.publishing.assemble(container.newsletter, TODAY)
    issue = f"/{OWN_SLUG}/issues/{TODAY}"
    answer = members["keep-list"].get(f"{issue}{tail}?whom=reader:{of_science}&count=1")
    assert READER not in answer.text
    assert "there is no such reader" in answer.text or answer.status_code == 404


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
