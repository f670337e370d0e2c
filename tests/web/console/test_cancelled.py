"""An issue that was cancelled while it left: what its readers have is corrected on the web."""

import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.stored import IssueStatus
from tests.container import TODAY, TestContainer
from tests.web.console.day import send_batches
from tests.web.console.serving import OWN_SLUG, ConsoleClient, console_container, url_of

pytestmark = pytest.mark.postgres

LEAVING = f"/{OWN_SLUG}/issues/{TODAY}/leaving"


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    made = console_container(engine, url_of(listener), host="http://127.0.0.1:9")
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(5)})
    return made


def test_the_page_of_a_cancelled_issue_says_how_it_is_corrected(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    stored = container.plan_issue()
    send_batches(container)
    assert "Correct what has left" not in members["edit"].get(LEAVING).text
    container.sending_limits.cancel(stored, actor="own@example.org", because="a wrong figure")
    accepted = container.deliveries.totals(stored.id).sums.accepted
    page = members["edit"].get(LEAVING).text
    assert accepted > 1
    assert f"{accepted} people have it, and keep it." in page

    story = stored.issue.entries[0]
    container.intake.edit(story.brief_id, {"title": "Quite another headline"}, actor="own")
    assert container.issues.get(stored.id).state is IssueStatus.CANCELLED
    view = container.public_pages.issue(container.newsletter, TODAY)
    assert "The headline is now: Quite another headline." in view.letter.text


def test_of_one_that_nobody_got_there_is_nothing_to_correct(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    stored = container.plan_issue()
    container.sending_limits.cancel(stored, actor="own@example.org", because="a wrong figure")
    assert "Correct what has left" not in members["edit"].get(LEAVING).text
