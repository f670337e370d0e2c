"""One sandbox a module, and a container on a fresh database for each test."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Engine

from newsletter.sandbox.server import Sandbox, SandboxConfig
from tests.web.conftest import Client
from tests.web.signup.helpers import (
    PAGE,
    READER,
    SignUpContainer,
    form_token_in,
    newsletter,
    open_signups,
)

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(data=tmp_path_factory.mktemp("sandbox"))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear()
    running.fail()
    return running


@pytest.fixture
def container(engine: Engine, sandbox: Sandbox) -> SignUpContainer:
    return open_signups(engine, sandbox, newsletter())


@pytest.fixture
def client(container: SignUpContainer) -> Iterator[Client]:
    with start_blocking_portal() as portal:
        yield Client(container.app, portal)


@pytest.fixture
def ask(container: SignUpContainer, client: Client) -> Ask:
    """Fill in the form as a person would, and press its button after five seconds."""

    def fill_in(email: str = READER, **changes: object) -> httpx.Response:
        token = form_token_in(client.get(PAGE).text)
        container.clock.pass_time(seconds=5)
        sheet = {"email": email, "topic": ["chips", "security"], "timezone": "Europe/Berlin"}
        return client.post(PAGE, data={**sheet, "form_token": token, **changes})

    return fill_in
