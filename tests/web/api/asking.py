"""The API over real services, as a program asks it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal
from sqlalchemy import Engine
from starlette.types import ASGIApp

from newsletter.core.api_token import Scope
from newsletter.core.publication import Newsletter
from tests.container import TestContainer, open_container
from tests.settings import TECHNOLOGY, settings_for, with_digest
from tests.staff import SHELL

#: The newsletter that tokens of the tests see, and the one that they do not.
OWN_SLUG, FOREIGN_SLUG = TECHNOLOGY.slug, "science"
SCIENCE = replace(
    TECHNOLOGY, slug=FOREIGN_SLUG, name="Science Daily", pillar="Science", weekly=None
)
URL = "http://localhost"
API = "/api/v1"


def api_container(engine: Engine, own: Newsletter = TECHNOLOGY, **sending: Any) -> TestContainer:
    """Return a container with two newsletters, each of its own pillar."""
    return open_container(engine, settings=settings_for((*with_digest(own), SCIENCE), **sending))


def make_token(
    container: TestContainer,
    *scopes: Scope,
    newsletters: Collection[str] | None = (OWN_SLUG,),
    name: str = "test",
    lifetime: timedelta = timedelta(days=1),
) -> str:
    """Return the text of a new token; without scopes it has all, with None it sees all."""
    made = container.api_tokens.create(
        name, scopes or tuple(Scope), newsletters=newsletters, lifetime=lifetime, by=SHELL
    )
    return made.text


@dataclass
class ApiClient:
    """Asks the API with a token, or without one."""

    app: ASGIApp
    portal: BlockingPortal
    token: str = ""

    def with_token(self, token: str) -> "ApiClient":
        return replace(self, token=token)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, json: object = None, **options: Any) -> httpx.Response:
        return self.ask("POST", path, json=json, **options)

    def patch(self, path: str, json: object, **options: Any) -> httpx.Response:
        return self.ask("PATCH", path, json=json, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask for a path below /api/v1."""
        return self.portal.call(partial(self._ask, method, path, **options))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, URL + API + path, headers=headers, **options)


def kind_of(answer: httpx.Response) -> str:
    """Return which kind of problem an answer is."""
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    return said["type"].partition("#")[2]


def pointers(answer: httpx.Response) -> list[str]:
    return [one["pointer"] for one in answer.json()["errors"]]


def given_brief(number: int = 1, **changes: object) -> dict[str, object]:
    """Return a brief as it is handed over, which the gate accepts."""
    words = ("amber", "basalt", "cobalt", "dolomite", "emerald", "feldspar", "garnet", "heliodor")
    name = "".join(words[int(digit, 8)] + " " for digit in f"{number:o}")
    return {
        "title": f"A laboratory grows {name}crystals in {number} hours",
        "pillar": "Technology",
        "summary": "What used to take a week is done overnight, and with half of the energy.",
        "source": "Example Wire",
        "source_url": f"https://example.org/crystals/{number}",
        "verification": "verified",
        "topics": ["chips"],
        "minutes": 2,
    } | changes
