"""A page asks the database for each thing once, and measures thousands of editions once."""

import socket
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from newsletter.core.staff import Grant, Permission
from newsletter.services import preflight
from tests.container import TestContainer
from tests.web.console.day import ISSUE, day_of_practice
from tests.web.console.serving import OWN_SLUG, ConsoleClient, sign_in, url_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def owner(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    console.token = sign_in(container, "own@example.org", Grant(permission=Permission.OWN))
    return console


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count every statement with its values, whoever sends it."""
    counted, execute = Counter[str](), psycopg.Cursor.execute

    def count(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        if str(query) != ";":  # whether a connection still answers
            counted[f"{query} {params}"] += 1
        return execute(self, query, params, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", count)
    return counted


@pytest.mark.parametrize(
    "path",
    [
        ISSUE,
        f"{ISSUE}?view=changes",
        f"{ISSUE}?view=beside",
        f"{ISSUE}/checks",
        f"{ISSUE}/people",
        f"/{OWN_SLUG}/today",
    ],
)
def test_a_page_asks_for_nothing_twice(path: str, owner: ConsoleClient, asked: Counter[str]):
    assert owner.get(path).status_code == 200
    twice = {one: times for one, times in asked.items() if times > 1}
    assert twice == {}
    assert any("FROM issue" in one for one in asked)


def test_editions_are_measured_once_for_the_same_galley_and_counts(
    container: TestContainer, owner: ConsoleClient, monkeypatch: pytest.MonkeyPatch
):
    measured, really = list[object](), preflight.letter_sizer

    def letter_sizer(stored: Any) -> Any:
        measured.append(stored.galley)
        return really(stored)

    monkeypatch.setattr(preflight, "letter_sizer", letter_sizer)
    for _ in range(2):
        assert owner.get(ISSUE).status_code == 200
    assert len(measured) == 1
    container.receive("policy")
    assert owner.get(ISSUE).status_code == 200
    assert len(measured) == 2
    container.clock.pass_time(seconds=30)  # the counts are too old
    assert owner.get(ISSUE).status_code == 200
    assert len(measured) == 3
