"""A brief that was printed: the console says where everybody reads it, and what a hold does."""

import re
import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.container import TestContainer
from tests.web.console.serving import OWN_SLUG, ConsoleClient, console_container, url_of

pytestmark = pytest.mark.postgres

BRIEFS = f"/{OWN_SLUG}/briefs"


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    made = console_container(engine, url_of(listener), host="http://127.0.0.1:9")
    made.receive("chips")
    made.subscribe(tmp_path, {"reader@example.com": ""})
    return made


def test_of_a_printed_brief_it_says_where_everybody_reads_it_and_what_a_hold_does(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    page = f"{BRIEFS}/1"
    assert "Its page on the web" not in members["edit"].get(page).text
    container.plan_issue()
    printed = members["edit"].get(page).text
    assert "Printed on Monday, 23 November 2026." in printed
    assert re.search(rf'href="https://[^"]+/{OWN_SLUG}/briefs/1-[a-z-]+">Its page', printed)
    assert "To hold it withdraws it there." in printed
    members["edit"].post(f"{page}/hold")
    assert "To hold it withdraws it there." not in members["edit"].get(page).text
