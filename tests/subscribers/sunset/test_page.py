"""The page behind "still want this?": a GET shows it, a POST answers."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine

from newsletter.web.app import create_app
from subscribers.model import Purpose, Subscription
from subscribers.tokens import make_token
from tests.chromium import CONTRASTS
from tests.subscribers.sunset.audience import DAY, Audience, open_audience
from tests.web.conftest import Client

pytestmark = pytest.mark.postgres


@dataclass
class Asked:
    """A reader who was asked, and paused since nobody answered."""

    audience: Audience
    app: FastAPI

    @property
    def reader(self) -> Subscription:
        return self.audience.reader("inactive@example.com")

    @property
    def path(self) -> str:
        return "/k/" + make_token(Purpose.STILL_WANTED, self.reader.id, self.reader.link_key)


@pytest.fixture
def asked(engine: Engine, tmp_path) -> Asked:
    audience = open_audience(engine)
    audience.container.subscribe(tmp_path, {"inactive@example.com": ""})
    inactive = audience.reader("inactive@example.com")
    audience.joined(inactive, 120)
    audience.letters(inactive, 5)
    audience.ask_inactive()
    audience.sendgrid_takes_all()
    audience.container.clock.time += 14 * DAY
    audience.ask_inactive()
    return Asked(audience, create_app(audience.container.web_services))


@pytest.fixture
def client(asked: Asked) -> Iterator[Client]:
    with start_blocking_portal() as portal:
        yield Client(asked.app, portal)


def test_only_the_button_answers(asked: Asked, client: Client):
    for method in ("GET", "HEAD", "OPTIONS"):
        client.ask(method, asked.path)
    assert asked.reader.paused_at
    assert asked.reader.engaged_on is None
    assert "Yes, keep it coming" in client.get(asked.path).text

    for _ in range(2):
        answer = client.post(asked.path)
        assert (answer.status_code, "keeps coming to you" in answer.text) == (200, True)
    assert asked.reader.paused_at is None
    assert asked.reader.engaged_on == asked.audience.now.date()


def test_a_link_for_another_purpose_or_with_another_letter_does_nothing(
    asked: Asked, client: Client
):
    leave = make_token(Purpose.UNSUBSCRIBE, asked.reader.id, asked.reader.link_key)
    for path in (f"/k/{leave}", asked.path[:-1], asked.path[:-1] + "!", "/k/" + "A" * 28):
        assert client.get(path).status_code == client.post(path).status_code == 404
    assert asked.reader.paused_at


def test_who_has_left_is_offered_a_way_back_and_not_undone(asked: Asked, client: Client):
    asked.audience.container.unsubscribe("inactive@example.com")
    for answer in (client.get(asked.path), client.post(asked.path)):
        assert "You have unsubscribed." in answer.text
    assert asked.reader.engaged_on is None


def test_who_paused_it_themselves_reads_that_it_stays_paused(asked: Asked, client: Client):
    client.post(asked.path)
    until = asked.audience.now.date() + 30 * DAY
    asked.audience.container.subscriptions.pause(
        asked.reader, until, now=asked.audience.now, actor="subscriber"
    )
    assert "still paused, as you asked, until" in client.post(asked.path).text


@pytest.fixture
def served(asked: Asked) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(asked.app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.browser
def test_a_press_in_a_browser_and_what_it_shows(asked: Asked, served: str, browser: Browser):
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
        page.goto(served + asked.path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert [found for found in page.evaluate(CONTRASTS) if found[1] < 4.5] == []
        page.get_by_role("button", name="Yes, keep it coming").click()
        expect(page.get_by_role("status")).to_have_text("Technology Daily keeps coming to you.")
        assert [found for found in page.evaluate(CONTRASTS) if found[1] < 4.5] == []
        page.close()
    assert asked.reader.paused_at is None
