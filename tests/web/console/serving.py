"""The console over real services: as a client asks it, and as a browser reaches it."""

import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
import uvicorn
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from playwright.sync_api import BrowserContext
from sqlalchemy import Engine

from newsletter.core.publication import Newsletter
from newsletter.core.sign_in import SignInAccepted
from newsletter.core.staff import Grant, Permission
from newsletter.web.console.access import cookie_name
from tests.container import TestContainer, open_container
from tests.settings import TECHNOLOGY, settings_for, with_digest
from tests.staff import HERE, SHELL, CountingHashes

#: The newsletter of which every member but one has a role, and the one that is foreign to them.
OWN_SLUG, FOREIGN_SLUG = TECHNOLOGY.slug, "science"
SCIENCE = replace(TECHNOLOGY, slug=FOREIGN_SLUG, name="Science Daily", weekly=None)

#: Whom `members` signs in: by role, and somebody who may do everything, but elsewhere.
GRANTS: Mapping[str, tuple[Grant, ...]] = {
    **{
        role.value: (Grant(permission=role, newsletter=OWN_SLUG),)
        for role in (Permission.SEE, Permission.EDIT, Permission.APPROVE, Permission.KEEP_LIST)
    },
    "own": (Grant(permission=Permission.OWN),),
    "elsewhere": tuple(
        Grant(permission=role, newsletter=FOREIGN_SLUG)
        for role in (Permission.EDIT, Permission.APPROVE, Permission.KEEP_LIST)
    ),
}

OURS = {"Sec-Fetch-Site": "same-origin"}  #: as browsers send with a form of our own page


def console_container(
    engine: Engine,
    url: str,
    *,
    host: str = "https://api.sendgrid.com",
    newsletter: Newsletter = TECHNOLOGY,
    **sending: Any,
) -> TestContainer:
    """Return a container with two newsletters, whose console is at this URL.

    The mailer is a double, whatever the host; where that is this machine, it is practice.
    """
    newsletters = (*with_digest(newsletter), SCIENCE)
    settings = settings_for(newsletters, environment={"sendgrid_host": host}, **sending)
    web = settings.service.web.model_copy(update={"console_url": url})
    service = settings.service.model_copy(update={"web": web})
    container = open_container(engine, settings=replace(settings, service=service))
    container.password_hashes = CountingHashes()
    return container


def sign_in(container: TestContainer, email: str, *grants: Grant, name: str = "") -> str:
    """Invite somebody, accept for them, and return their session's token; it is fresh."""
    token = container.staff_accounts.invite(email, grants, by=SHELL)
    accepted = container.staff_accounts.accept(token, name or email, address=HERE, device="test")
    assert isinstance(accepted, SignInAccepted)
    return accepted.token


@dataclass
class ConsoleClient:
    """Asks the console as a browser does: with its session's cookie, but it follows nothing."""

    app: FastAPI
    portal: BlockingPortal
    url: str
    token: str = ""

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **fields: object) -> httpx.Response:
        """Post a form of our own page."""
        return self.ask("POST", path, data=fields, headers=OURS)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.portal.call(partial(self._ask, method, path, **options))
        name = cookie_name(self.url)
        if name in answer.cookies:
            self.token = answer.cookies[name]
        return answer

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        cookies = {cookie_name(self.url): self.token} if self.token else {}
        async with httpx.AsyncClient(transport=transport, cookies=cookies) as client:
            return await client.request(method, self.url + path, **options)


def listening() -> socket.socket:
    """Return a socket on a free port of this machine."""
    return socket.create_server(("127.0.0.1", 0))


def url_of(listener: socket.socket) -> str:
    """Return the console's URL there; browsers make no passkeys for an IP address."""
    return f"http://localhost:{listener.getsockname()[1]}"


@contextmanager
def serving(app: FastAPI, listener: socket.socket) -> Generator[str]:
    """Serve the console to browsers meanwhile; return its URL."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join()


def give_session(context: BrowserContext, url: str, token: str) -> None:
    """Sign a browser in with a session that there is."""
    context.add_cookies([{"name": cookie_name(url), "value": token, "url": url}])
