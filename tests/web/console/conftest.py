"""The console on a test's database, its members, and a browser that reaches it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import Engine

from tests.container import TestContainer
from tests.web.console.serving import (
    GRANTS,
    ConsoleClient,
    console_container,
    listening,
    serving,
    sign_in,
    url_of,
)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listening() as found:
        yield found


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    """Two newsletters; in the first two readers, and three accepted briefs that no issue holds."""
    made = console_container(engine, url_of(listener))
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path, {"reader@example.com": "chips;security", "other@example.org": ""})
    return made


@pytest.fixture
def console(container: TestContainer) -> Iterator[ConsoleClient]:
    """The console as somebody who is not signed in asks it."""
    with start_blocking_portal() as portal:
        yield ConsoleClient(container.console, portal, container.settings.console_url)


@pytest.fixture
def members(container: TestContainer, console: ConsoleClient) -> dict[str, ConsoleClient]:
    """The console as each member asks it, by the names of `GRANTS`; all have just signed in."""
    return {
        name: ConsoleClient(
            console.app,
            console.portal,
            console.url,
            sign_in(container, f"{name}@example.org", *grants, name=name),
        )
        for name, grants in GRANTS.items()
    }


@pytest.fixture
def served_console(container: TestContainer, listener: socket.socket) -> Iterator[str]:
    """The console on a port, as a browser reaches it; its URL."""
    with serving(container.console, listener) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser's window, which keeps what the console gives it."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as made:
        made.set_default_timeout(20_000)
        yield made
