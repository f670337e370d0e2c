"""Who gets which page: every route, asked by each member, by nobody, and about both newsletters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from newsletter.core.staff import Permission, StaffMember, may
from newsletter.web.console import app as application
from newsletter.web.console.access import Needs, declared
from newsletter.web.console.app import create_console, routes_of
from tests.container import TODAY, TestContainer
from tests.staff import HERE
from tests.web.console.serving import (
    FOREIGN_SLUG,
    GRANTS,
    OURS,
    OWN_SLUG,
    ConsoleClient,
    console_container,
    sign_in,
)

pytestmark = pytest.mark.postgres

#: What stands for the other parameters of paths: nothing is called so.
_OTHERS = {"on": str(TODAY), "name": "nothing", "token": "nothing", "source": "nothing"}

_NOT_FRESH = timedelta(minutes=16)  #: since a sign-in
#: After one of these the walk signs in anew; any other leaves the session, or the walk fails.
_ENDS_SESSIONS = ("/sign-out", "/account/sign-out-everywhere")


@dataclass(frozen=True)
class Asked:
    """A request of the walk."""

    route: APIRoute
    method: str
    slug: str

    @property
    def path(self) -> str:
        names = self.route.param_convertors
        values = {name: _OTHERS.get(name, "999999") for name in names} | {"slug": self.slug}
        return self.route.url_path_for(self.route.name, **{name: values[name] for name in names})

    @property
    def scope(self) -> str | None:
        return self.slug if "slug" in self.route.param_convertors else None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def walk(app: FastAPI) -> Iterator[Asked]:
    for route in routes_of(app):
        slugs = (OWN_SLUG, FOREIGN_SLUG) if "slug" in route.param_convertors else ("",)
        for method in sorted(route.methods or ()):
            yield from (Asked(route, method, slug) for slug in slugs)


def expected(needs: Needs | None, member: StaffMember | None, scope: str | None, *, fresh: bool):
    """Return how the console answers: by a page of its own, or what stands before it."""
    if needs is None:
        return "answered"
    if member is None:
        return "sign-in"
    if scope and not may(member, Permission.SEE, scope):
        return "hidden"
    if needs.permission and not may(member, needs.permission, scope):
        return "forbidden"
    return "answered" if fresh or not needs.fresh else "confirm"


def answered(client: ConsoleClient, asked: Asked) -> str:
    answer = client.ask(asked.method, asked.path, headers=OURS)
    location = answer.headers.get("location", "")
    for page in ("sign-in", "confirm"):
        if location.startswith(f"/{page}?then="):
            return page
    if answer.status_code == 404 and "leads to no page that you may see" in answer.text:
        return "hidden"
    names = {403: "forbidden", 500: "failed"}
    return names.get(answer.status_code, "answered")


def test_a_route_that_declares_nothing_is_not_served(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    router = APIRouter()
    router.add_api_route("/open", lambda: None)
    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, router))
    with pytest.raises(LookupError, match="/open does not declare"):
        create_console(container.console_services)


def test_every_route_declares_who_may_use_it(console: ConsoleClient):
    routes = list(routes_of(console.app))
    assert {route.path for route in routes} >= {"/account", "/{slug}/settings", "/{slug}/more"}
    for route in routes:
        declared(route)


@dataclass(frozen=True)
class Shared:
    """The console and its members, whom the walks share; a walk leaves what they may do as is."""

    container: TestContainer
    console: ConsoleClient

    def sign_in(self, name: str, *, fresh: bool) -> StaffMember | None:
        """Give the client a session, which began just now or a while ago."""
        self.console.token = ""
        if name == "nobody":
            return None
        member = self.container.staff_accounts.by_email(f"{name}@example.org")
        clock, ago = self.container.clock, timedelta() if fresh else _NOT_FRESH
        clock.time -= ago
        sessions = self.container.staff_sessions
        self.console.token = sessions.start(member, address=HERE, device="walk")
        clock.time += ago
        return member


@pytest.fixture(scope="module")
def shared(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    made = console_container(shared_engine, "http://localhost:9")
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path_factory.mktemp("list"), {"reader@example.com": "chips;security"})
    for name, grants in GRANTS.items():
        sign_in(made, f"{name}@example.org", *grants, name=name)
    with start_blocking_portal() as portal:
        yield Shared(made, ConsoleClient(made.console, portal, "http://localhost:9"))


@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "not fresh"])
@pytest.mark.parametrize("name", [*GRANTS, "nobody"])
def test_each_route_answers_whoever_may_use_it_and_nobody_else(
    name: str, fresh: bool, shared: Shared
):
    member, wrong = shared.sign_in(name, fresh=fresh), list[str]()
    for asked in walk(shared.console.app):
        needs = declared(asked.route)
        if not fresh and not (needs and needs.fresh and not needs.proven_late):
            continue  # one that is proven late is tested by its form
        should = expected(needs, member, asked.scope, fresh=fresh)
        does = answered(shared.console, asked)
        found_nothing = (
            should == "answered" and does == "hidden"
        )  # what the path names is not there
        if should != does and not found_nothing:
            wrong.append(f"{asked}: {does}, not {should}")
        if asked.route.path in _ENDS_SESSIONS:
            shared.sign_in(name, fresh=fresh)
    assert wrong == []


def test_the_roles_of_a_newsletter_count_for_its_digest(members: dict[str, ConsoleClient]):
    digest = f"/{OWN_SLUG}-weekly"
    assert members["edit"].get(f"{digest}/today").status_code == 200
    assert members["edit"].get(f"{digest}/readers").status_code == 403
    assert members["elsewhere"].get(f"{digest}/today").status_code == 404


def test_whoever_may_not_learns_who_may(members: dict[str, ConsoleClient]):
    refused = members["see"].get(f"/{OWN_SLUG}/readers")
    assert refused.status_code == 403
    assert "keep-list, own" in refused.text
    assert "elsewhere" not in refused.text
