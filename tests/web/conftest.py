"""The real application over real services on PostgreSQL, and two ways to ask it."""

import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from sqlalchemy import Engine

from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.services.feedback import Feedback
from newsletter.settings import shipped
from newsletter.web.app import create_app
from subscribers.model import Subscription
from tests.house import BASE_URL, TestHouse, open_house
from tests.signing import Seal

READER, OTHER = "reader@example.com", "other@example.org"


@pytest.fixture(scope="session")
def seal() -> Seal:
    return Seal()


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> TestHouse:
    """Two readers, and three accepted briefs that no issue holds yet."""
    made = open_house(engine)
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path, {READER: "chips;security", OTHER: ""})
    return made


@pytest.fixture
def app(house: TestHouse, seal: Seal) -> FastAPI:
    return create_app(
        newsletters={house.newsletter.slug: house.newsletter},
        publishing=house.publishing,
        subscriptions_desk=house.subscriptions,
        feedback=Feedback(
            source=SendGridEvents(seal.public_key),
            events=house.events,
            subscriptions=house.subscriptions,
            clock=house.clock,
        ),
        now=house.clock.now,
        templates=shipped("templates"),
    )


class Client:
    """Asks the application without a network: no cookie is kept, and no redirect followed."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._portal = portal

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._portal.call(partial(self._ask, method, path, **options))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport) as client:
            return await client.request(method, BASE_URL + path, **options)

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", path, **options)


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    with start_blocking_portal() as portal:  # a loop in a thread of its own
        yield Client(app, portal)


@pytest.fixture
def served(app: FastAPI) -> Iterator[str]:
    """The application on loopback, as a browser reaches it; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def reader(house: TestHouse) -> Subscription:
    [subscription] = house.subscriptions.by_email(READER)
    return subscription
