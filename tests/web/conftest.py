"""The real application over real services on PostgreSQL, and two ways to ask it."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from sqlalchemy import Engine, text

from newsletter.services.event_intake import Counters
from newsletter.web.app import create_app
from newsletter.web.dependencies import WebServices
from subscribers.model import Purpose, Subscription
from subscribers.tokens import make_token
from tests.container import TestContainer, open_container
from tests.settings import BASE_URL, SEAL, TECHNOLOGY
from tests.signing import Seal

READER, OTHER = "reader@example.com", "other@example.org"


@pytest.fixture(scope="session")
def seal() -> Seal:
    return SEAL


INBOUND_KEY = "a-password-of-the-inbound-url"


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    """Two readers, and three accepted briefs that no issue holds yet."""
    made = open_container(engine)
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path, {READER: "chips;security", OTHER: ""})
    return made


@pytest.fixture
def counters(container: TestContainer) -> Counters:
    return container.event_intake.counters


@pytest.fixture
def services(container: TestContainer) -> WebServices:
    return replace(container.web_services, inbound_key=INBOUND_KEY)


@pytest.fixture
def app(services: WebServices) -> FastAPI:
    return create_app(services)


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
def client_without_weekly(services: WebServices) -> Iterator[Client]:
    """The same service, without a weekly digest."""
    newsletters = {TECHNOLOGY.slug: replace(TECHNOLOGY, weekly=None)}
    with start_blocking_portal() as portal:
        yield Client(create_app(replace(services, newsletters=newsletters)), portal)


@pytest.fixture
def client_without_key(services: WebServices) -> Iterator[Client]:
    """The same service, where anybody may post mail."""
    with start_blocking_portal() as portal:
        yield Client(create_app(replace(services, inbound_key=None)), portal)


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
def reader(container: TestContainer) -> Subscription:
    [subscription] = container.subscriptions.by_email(READER)
    return subscription


def leave_path(subscription: Subscription) -> str:
    return "/u/" + make_token(Purpose.UNSUBSCRIBE, subscription.id, subscription.link_key)


def choices_path(subscription: Subscription) -> str:
    return "/p/" + make_token(Purpose.PREFERENCES, subscription.id, subscription.link_key)


def now_of(container: TestContainer, email: str = READER) -> Subscription:
    [subscription] = container.subscriptions.by_email(email)
    return subscription


def records(
    container: TestContainer, table: str = "change"
) -> list[tuple[str, str, dict[str, Any]]]:
    """What is on record of the reader: what it was, who or what said so, and the rest."""
    columns = "what, actor, detail" if table == "change" else "act, source, detail"
    query = f"SELECT {columns} FROM {table} WHERE subscriber_id = :id ORDER BY id"
    with container.engine.begin() as connection:
        rows = connection.execute(text(query), {"id": now_of(container).subscriber_id})
        return [tuple(row) for row in rows]
