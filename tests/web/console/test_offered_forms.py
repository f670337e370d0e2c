"""No page offers what whoever looks at it may not do.

The navigation has one link for everybody that not all may follow: its page says who may.
"""

import re
import socket
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.routing import Match

from newsletter.core.operator_alert import unknown_batch_alert
from newsletter.core.staff import Permission, StaffMember, may
from newsletter.web.console.access import declared
from newsletter.web.console.app import routes_of
from tests.container import TODAY, TestContainer
from tests.web.console.day import day_of_practice, go_to
from tests.web.console.serving import OWN_SLUG, ConsoleClient, url_of
from tests.web.console.test_gets_write_nothing import path_of
from tests.web.console.test_permissions import walk

pytestmark = pytest.mark.postgres

_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*\baction="([^"?#]*)')
_NAVIGATION = re.compile(r'<nav class="nav".*?</nav>', re.DOTALL)
_LINK = re.compile(r'<a\b[^>]*\bhref="(/[^"?#]*)')
_ROLES = (Permission.SEE, Permission.EDIT, Permission.APPROVE, Permission.KEEP_LIST)


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path, grace_minutes=5)


@pytest.mark.parametrize(
    "moment", ["empty", "draft", "approved", "sent by hand", "skipped", "leaving", "stopped"]
)
def test_no_page_offers_what_its_reader_may_not_do(
    moment: str, container: TestContainer, members: dict[str, ConsoleClient], tmp_path: Path
) -> None:
    go_to(moment, container)
    alert = unknown_batch_alert(OWN_SLUG, TODAY)
    container.schedule_store.queue_alert(alert, container.clock.now())
    wrong: set[str] = set()
    for role in _ROLES:
        client, member = members[role], container.staff_accounts.by_email(f"{role}@example.org")
        for path, page in pages(client, container):
            for method, target in offered(page):
                if not permitted(client, member, method, target):
                    wrong.add(f"{role} on {path}: {method} {target}")
    assert sorted(wrong) == []


def pages(client: ConsoleClient, container: TestContainer) -> Iterator[tuple[str, str]]:
    for asked in walk(client.app):
        if asked.method == "GET" and asked.slug in ("", OWN_SLUG):
            path = path_of(asked, container)
            answer = client.get(f"{path}?count=1")
            if answer.status_code == 200 and "html" in answer.headers["content-type"]:
                yield path, answer.text


def offered(page: str) -> Iterator[tuple[str, str]]:
    for method, pattern in (("POST", _FORM), ("GET", _LINK)):
        yield from (
            (method, unescape(found)) for found in pattern.findall(_NAVIGATION.sub("", page))
        )


def permitted(client: ConsoleClient, member: StaffMember, method: str, target: str) -> bool:
    needs = declared(route_to(client, method, target))
    return not (needs and needs.permission) or may(member, needs.permission, OWN_SLUG)


def route_to(client: ConsoleClient, method: str, path: str) -> APIRoute:
    scope = {"type": "http", "path": path, "method": method}
    return next(one for one in routes_of(client.app) if one.matches(scope)[0] is Match.FULL)
