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

from newsletter.adapters.sendgrid.inbound import read_letter
from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.core.publication import Newsletter
from newsletter.services.counters import Counters
from newsletter.services.event_intake import Feedback
from newsletter.services.people import People
from newsletter.services.unsubscribe_mail import Farewells
from newsletter.settings import shipped
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.person_history import Letters
from newsletter.web.app import create_app
from newsletter.web.inbound import Inbound
from subscribers.errors import InvalidAddress
from subscribers.model import Purpose, Subscription
from subscribers.records.service import Records
from subscribers.records.store import PostgresRecords
from subscribers.tokens import make_token
from tests.house import BASE_URL, TECHNOLOGY, TestHouse, open_house
from tests.signing import Seal

READER, OTHER = "reader@example.com", "other@example.org"


@pytest.fixture(scope="session")
def seal() -> Seal:
    return Seal()


INBOUND_KEY = "a-password-of-the-inbound-url"


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> TestHouse:
    """Two readers, and three accepted briefs that no issue holds yet."""
    made = open_house(engine)
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path, {READER: "chips;security", OTHER: ""})
    return made


@pytest.fixture
def people(house: TestHouse) -> People:
    return People(
        records=Records(PostgresRecords(house.engine)),
        subscriptions=house.subscriptions,
        letters=Letters(house.engine),
        decisions=DecisionLog(house.engine, house.clock),
        clock=house.clock,
    )


class Movers:
    """Takes new addresses, and sends no letter."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def ask_address(self, subscription: Subscription, email: str) -> None:
        if "@" not in email:
            raise InvalidAddress
        self.asked.append((subscription.email, email))


@pytest.fixture
def movers() -> Movers:
    return Movers()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def inbound(house: TestHouse, counters: Counters) -> Inbound:
    farewells = Farewells(
        newsletters={house.newsletter.slug: house.newsletter},
        subscriptions=house.subscriptions,
        clock=house.clock,
        counters=counters,
    )
    return Inbound(farewells=farewells, read=read_letter, key=INBOUND_KEY)


def make_app(house: TestHouse, seal: Seal, newsletter: Newsletter, **rooms: Any) -> FastAPI:
    return create_app(
        newsletters={newsletter.slug: newsletter},
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
        **rooms,
    )


@pytest.fixture
def app(house: TestHouse, seal: Seal, people: People, inbound: Inbound, movers: Movers) -> FastAPI:
    rooms = {"people": people, "inbound_room": inbound, "movers": movers}
    return make_app(house, seal, house.newsletter, **rooms)


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
def client_without_weekly(house: TestHouse, seal: Seal) -> Iterator[Client]:
    """The same service, where nothing but the newsletter itself is to be had."""
    with start_blocking_portal() as portal:
        yield Client(make_app(house, seal, replace(TECHNOLOGY, weekly=None)), portal)


@pytest.fixture
def client_without_key(house: TestHouse, seal: Seal, inbound: Inbound) -> Iterator[Client]:
    """The same service, to whose inbound door anybody may post."""
    open_door = replace(inbound, key=None)
    with start_blocking_portal() as portal:
        yield Client(make_app(house, seal, TECHNOLOGY, inbound_room=open_door), portal)


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


def leave_path(subscription: Subscription) -> str:
    return "/u/" + make_token(Purpose.UNSUBSCRIBE, subscription.id, subscription.link_key)


def choices_path(subscription: Subscription) -> str:
    return "/p/" + make_token(Purpose.PREFERENCES, subscription.id, subscription.link_key)


def now_of(house: TestHouse, email: str = READER) -> Subscription:
    [subscription] = house.subscriptions.by_email(email)
    return subscription


def records(house: TestHouse, table: str = "change") -> list[tuple[str, str, dict[str, Any]]]:
    """What is on record of the reader: what it was, who or what said so, and the rest."""
    columns = "what, actor, detail" if table == "change" else "act, source, detail"
    query = f"SELECT {columns} FROM {table} WHERE subscriber_id = :id ORDER BY id"
    with house.engine.begin() as connection:
        rows = connection.execute(text(query), {"id": now_of(house).subscriber_id})
        return [tuple(row) for row in rows]
