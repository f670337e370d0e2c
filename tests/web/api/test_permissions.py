"""Which token may use which route: every route, asked with tokens of every kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from newsletter.core.api_token import Scope
from newsletter.web.api import app as application
from newsletter.web.api.access import Caller, RequiresToken, declared
from newsletter.web.api.app import create_api, routes_of
from newsletter.web.api.route import PREFIX, api_router
from tests.container import TODAY, TestContainer, brief
from tests.staff import SHELL
from tests.web.api.asking import FOREIGN_SLUG, OWN_SLUG, ApiClient, api_container, make_token

pytestmark = pytest.mark.postgres

#: What stands for the other parameters of paths: nothing is called so.
_OTHERS = {"on": str(TODAY), "date": str(TODAY)}
_NEWSLETTER = frozenset({"slug", "newsletter"})  #: how paths name one
_CHANGING = {"POST", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Asked:
    """A request of the walk."""

    route: APIRoute
    method: str
    slug: str

    @property
    def path(self) -> str:
        names = self.route.param_convertors
        values = {name: _OTHERS.get(name, "999999") for name in names}
        values |= dict.fromkeys(_NEWSLETTER & names.keys(), self.slug)
        return self.route.url_path_for(self.route.name, **values).removeprefix(PREFIX)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def walk(app: FastAPI) -> Iterator[Asked]:
    for route in routes_of(app):
        named = _NEWSLETTER & route.param_convertors.keys()
        for method in sorted(route.methods or ()):
            yield from (
                Asked(route, method, slug) for slug in (named and (OWN_SLUG, FOREIGN_SLUG)) or ("",)
            )


@dataclass(frozen=True)
class Shared:
    """The API, and the tokens that all walks share."""

    container: TestContainer
    api: ApiClient
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def shared(shared_engine: Engine) -> Iterator[Shared]:
    made = api_container(shared_engine)
    made.settings.service.web.__dict__["api_per_minute"] = 10_000
    tokens = {scope.value: make_token(made, scope) for scope in Scope}
    tokens |= {
        "all": make_token(made),
        "elsewhere": make_token(made, newsletters=[FOREIGN_SLUG]),
        "expired": make_token(made, lifetime=timedelta(seconds=1)),
        "revoked": make_token(made),
    }
    made.clock.pass_time(seconds=1)
    made.api_tokens.revoke(len(tokens), by=SHELL)
    right = tokens["all"]
    tokens |= {
        "none": "",
        "of another secret": right[:-4] + ("AAAA" if right[-4:] != "AAAA" else "BBBB"),
        "of another number": right.replace("_11_", "_12_"),
        "of no form": "secret",
        "of a large number": f"nl_{10**17}_{right.rpartition('_')[2]}",
    }
    with start_blocking_portal() as portal:
        yield Shared(made, ApiClient(made.api, portal), tokens)


INVALID = (
    "none", "expired", "revoked", "of another secret", "of another number", "of no form",
    "of a large number",
)  # fmt: skip


def test_a_route_that_declares_nothing_is_not_served(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    router = api_router()
    router.add_api_route("/open", lambda: None)
    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, router))
    with pytest.raises(LookupError, match="/open does not declare"):
        create_api(container.api_services)


def test_a_route_of_another_kind_is_not_served(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    """What is checked around a route is checked by the route."""
    router = APIRouter(prefix=PREFIX)
    router.add_api_route("/open", lambda: None, dependencies=[application.ANYONE])
    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, router))
    with pytest.raises(LookupError, match="/open is no route"):
        create_api(container.api_services)


def test_only_what_describes_the_api_needs_no_token(shared: Shared):
    open_to_all = {one.path for one in walk(shared.api.app) if declared(one.route) is None}
    assert open_to_all == {"/openapi.json", "/problems"}


@pytest.mark.parametrize("name", INVALID)
def test_no_route_answers_a_token_that_is_not_good(name: str, shared: Shared):
    client, wrong, details = shared.api.with_token(shared.tokens[name]), list[str](), set[str]()
    for asked in walk(shared.api.app):
        if declared(asked.route) is None:
            continue
        # Whatever else is wrong with the request is not said, nor is its body read.
        answer = client.ask(asked.method, asked.path + "?limit=x", content=b"\xff{")
        if (answer.status_code, answer.headers.get("www-authenticate")) != (401, "Bearer"):
            wrong.append(f"{asked}: {answer.status_code}")
        details.add(answer.json()["detail"])
    assert wrong == []
    assert len(details) == 1


@pytest.mark.parametrize("name", [*(scope.value for scope in Scope), "all"])
def test_each_route_answers_the_tokens_with_its_scope_and_no_other(name: str, shared: Shared):
    client, wrong = shared.api.with_token(shared.tokens[name]), list[str]()
    for asked in walk(shared.api.app):
        needs = declared(asked.route)
        answer = client.ask(
            asked.method, asked.path, json={} if asked.method in _CHANGING else None
        )
        if lacks(needs, name):
            detail = f"The token lacks the scope {needs and needs.scope}."
            if answer.status_code != 403 or answer.json()["detail"] != detail:
                wrong.append(f"{asked}: {answer.status_code}, not 403")
        elif answer.status_code in {401, 405} or answer.status_code >= 500:
            wrong.append(f"{asked}: {answer.status_code}")
        elif asked.slug == FOREIGN_SLUG and answer.status_code not in {404, 422, 428}:
            wrong.append(f"{asked}: {answer.status_code}, not 404")
    assert wrong == []


def lacks(needs: RequiresToken | None, name: str) -> bool:
    if needs is None or needs.scope is None:
        return False
    return name not in {"all", *(one.value for one in (needs.scope, *needs.others))}


def test_what_belongs_to_a_foreign_newsletter_is_not_there(shared: Shared):
    """By a number in the path, too."""
    own = shared.container.intake.receive(brief()).stored.brief_id
    allowed = shared.api.with_token(shared.tokens["all"])
    elsewhere = shared.api.with_token(shared.tokens["elsewhere"])
    assert allowed.get(f"/briefs/{own}").status_code == 200
    assert elsewhere.get(f"/briefs/{own}").status_code == 404


def test_a_cookie_is_no_token_and_two_tokens_are_none(shared: Shared):
    bearer = f"Bearer {shared.tokens['all']}"
    cookie = {"Cookie": f"session={shared.tokens['all']}"}
    assert shared.api.get("/newsletters", headers=cookie).status_code == 401
    twice = [("Authorization", bearer), ("Authorization", bearer)]
    assert shared.api.portal.call(lambda: _raw(shared.api, twice)) == 401


async def _raw(api: ApiClient, headers: list[tuple[str, str]]) -> int:
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app)) as client:
        return (
            await client.get("http://localhost/api/v1/newsletters", headers=headers)
        ).status_code


def test_whoever_was_admitted_is_no_longer_once_the_token_is_revoked(container: TestContainer):
    text = make_token(container)
    token = container.api_tokens.find(text)
    assert token
    caller = Caller(token=token, services=container.api_services, address="", bearer=text)
    assert caller.is_still_admitted()
    container.api_tokens.revoke(token.id, by="root")
    assert not caller.is_still_admitted()
