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

from subscribers.model import Purpose, Subscription
from subscribers.tokens import make_token
from tests.chromium import CONTRASTS
from tests.signing import Seal
from tests.sunset.place import DAY, NEWSLETTER, Place, open_place
from tests.web.conftest import Client, make_app

pytestmark = pytest.mark.postgres


@dataclass
class Asked:
    """A reader who was asked, and paused since nobody answered."""

    place: Place
    app: FastAPI

    @property
    def reader(self) -> Subscription:
        return self.place.reader("silent@example.com")

    @property
    def path(self) -> str:
        return "/k/" + make_token(Purpose.KEEP, self.reader.id, self.reader.link_key)


@pytest.fixture
def asked(engine: Engine, tmp_path) -> Asked:
    place = open_place(engine)
    place.house.subscribe(tmp_path, {"silent@example.com": ""})
    silent = place.reader("silent@example.com")
    place.joined(silent, 120)
    place.letters(silent, 5)
    place.go()
    place.post_takes_all()
    place.house.clock.time += 14 * DAY
    place.go()
    return Asked(place, make_app(place.house, Seal(), NEWSLETTER, sunsets=place.sunsets))


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
    assert asked.reader.engaged_on == asked.place.now.date()


def test_a_link_for_another_purpose_or_with_another_letter_does_nothing(
    asked: Asked, client: Client
):
    leave = make_token(Purpose.UNSUBSCRIBE, asked.reader.id, asked.reader.link_key)
    for path in (f"/k/{leave}", asked.path[:-1], asked.path[:-1] + "!", "/k/" + "A" * 28):
        assert client.get(path).status_code == client.post(path).status_code == 404
    assert asked.reader.paused_at


def test_who_has_left_is_offered_a_way_back_and_not_taken_back(asked: Asked, client: Client):
    asked.place.house.leave("silent@example.com")
    for answer in (client.get(asked.path), client.post(asked.path)):
        assert "You have left." in answer.text
    assert asked.reader.engaged_on is None


def test_who_paused_it_themselves_reads_that_it_stays_paused(asked: Asked, client: Client):
    client.post(asked.path)
    until = asked.place.now.date() + 30 * DAY
    asked.place.house.subscriptions.pause(
        asked.reader, until, now=asked.place.now, actor="subscriber"
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
