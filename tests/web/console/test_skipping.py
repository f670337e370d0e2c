"""A day that is skipped after its draft was set; and smaller things that pages promise."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.errors import NotAllowed
from tests.container import TODAY, TestContainer
from tests.web.console.day import ISSUE, MARKETER, day_of_practice, send_batches, state, titles
from tests.web.console.serving import OWN_SLUG, ConsoleClient, sign_in, url_of

pytestmark = pytest.mark.postgres

DAY = f"/{OWN_SLUG}/days/{TODAY}"
TODAYS = f"/{OWN_SLUG}/today?count=1"


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def ada(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    console.token = sign_in(container, "ada@example.org", *MARKETER)
    return console


def test_a_skipped_days_draft_is_set_aside_and_no_page_offers_to_approve_it(
    container: TestContainer, ada: ConsoleClient
) -> None:
    container.publishing.approve(container.newsletter, TODAY, actor="bo@example.org")
    ada.post(f"{DAY}/skip", because="a holiday")
    for page in (TODAYS, f"{ISSUE}?count=1"):
        text = ada.get(page).text
        assert "ada@example.org skipped it (a holiday)" in text
        assert "set aside: nobody approves or sends it" in text
        assert "Do not skip it</button>" in text
        assert "pprove</" not in text
    assert "Mon<br>skipped</li>" in ada.get(TODAYS).text
    with pytest.raises(NotAllowed):
        container.publishing.approve(container.newsletter, TODAY, actor="bo@example.org")
    tomorrow = container.newsletter, TODAY + timedelta(days=1)
    container.clock.time += timedelta(days=1)
    assert len(container.publishing.assemble(*tomorrow).issue.entries) == 3  # its stories are free


def test_a_day_that_is_not_skipped_after_all_has_its_draft_as_it_was_arranged(
    container: TestContainer, ada: ConsoleClient
) -> None:
    draft = container.editing.seen(container.newsletter, TODAY, actor="bo@example.org")
    stories = container.publishing.issue(container.newsletter, TODAY).issue.entries
    container.editing.move_up(draft, stories[-1].brief_id)
    arranged = titles(container)
    ada.post(f"{DAY}/skip", because="a holiday")
    assert state(container) == "empty"
    ada.post(f"{DAY}/unskip")
    assert (state(container), titles(container)) == ("draft", arranged)
    assert "Look and approve" in ada.get(TODAYS).text


def test_looks_are_not_in_the_way(ada: ConsoleClient) -> None:
    text = ada.get(TODAYS).text
    assert "In the way: 1<" in text  # the brief that is held
    assert "<h3>To look at: " in text


def test_a_brief_that_is_held_is_not_offered_to_be_held(
    container: TestContainer, ada: ConsoleClient
) -> None:
    held, accepted = f"/{OWN_SLUG}/briefs/4", f"/{OWN_SLUG}/briefs/1"
    assert "Hold it</button>" in ada.get(accepted).text
    assert "Hold it</button>" not in ada.get(held).text
    container.intake.hold(1, actor="bo@example.org")
    assert "Hold it</button>" not in ada.get(accepted).text


def test_results_of_an_issue_that_is_leaving_say_so(
    container: TestContainer, ada: ConsoleClient
) -> None:
    container.publishing.approve(container.newsletter, TODAY, actor="bo@example.org")
    container.plan_issue()
    send_batches(container, 1)
    assert "<h1>It is still leaving" in ada.get(f"{ISSUE}/results").text
    container.queue.work(until_empty=True)
    assert "still leaving" not in ada.get(f"{ISSUE}/results").text


def test_pictures_off_loads_none_and_the_others_tell_nobody_who_looks(ada: ConsoleClient) -> None:
    off = ada.get(f"{ISSUE}/letter?images=false").headers
    assert "img-src 'none'" in off["content-security-policy"]
    shown = ada.get(f"{ISSUE}/letter").headers
    assert "img-src data: https: http://127.0.0.1:*;" in shown["content-security-policy"]
    assert shown["referrer-policy"] == "no-referrer"
    page = ada.get(f"{ISSUE}?count=1&view=no-pictures").text
    assert '<iframe sandbox referrerpolicy="no-referrer"' in page
    assert "images=false" in page
