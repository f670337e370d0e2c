"""No GET writes: each is asked where the database refuses a write, and leaves every table as is."""

import re
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.operator_alert import unknown_batch_alert
from newsletter.core.staff import Grant, Permission
from tests.container import TODAY, TestContainer
from tests.web.console.day import day_of_practice, go_to
from tests.web.console.serving import ConsoleClient, sign_in, url_of
from tests.web.console.test_permissions import Asked, walk

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def owner(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    console.token = sign_in(container, "own@example.org", Grant(permission=Permission.OWN))
    return console


def path_of(asked: Asked, container: TestContainer) -> str:
    """Return the path, with numbers of what there is."""
    one = container.subscriptions.by_email("r0@example.com")[0]
    numbers = dict.fromkeys(("briefs", "alerts", "batches", "webhooks"), 1)
    numbers["readers"] = one.subscriber_id
    return re.sub(
        r"(\w+)/999999", lambda found: f"{found[1]}/{numbers.get(found[1], 1)}", asked.path
    )


def everything(container: TestContainer) -> dict[str, list[object]]:
    """Return each row of each table with its last transaction, but for the sessions' last use."""
    tables = container.query(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found: dict[str, list[object]] = {}
    for (name,) in tables:
        less = " - 'seen_at' - 'last_seen_at'" if "session" in name else ""
        xmin = "''" if less else "xmin::text"
        found[name] = container.query(
            f"SELECT {xmin}, (to_jsonb(t){less})::text FROM {name} t ORDER BY 2"
        )
    return found


@pytest.mark.parametrize("moment", ["draft", "leaving", "stopped", "sent"])
def test_no_get_changes_a_row(
    moment: str, container: TestContainer, owner: ConsoleClient, tmp_path: Path
):
    go_to(moment, container)
    alert = unknown_batch_alert("technology", TODAY)
    container.schedule_store.queue_alert(alert, container.clock.now())
    container.clock.pass_time(minutes=2)
    before, failed, pages = everything(container), list[str](), 0
    for asked in walk(owner.app):
        if asked.method != "GET":
            continue
        path = path_of(asked, container)
        answer = owner.get(path)
        answer = owner.get(path + "?count=1") if "are being counted" in answer.text else answer
        pages += answer.status_code == 200
        if answer.status_code == 500 or (
            "hx-get" in answer.text
            and owner.get(path, headers={"HX-Request": "true"}).status_code == 500
        ):
            failed.append(path)
    assert failed == []
    assert pages > 40
    after = everything(container)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def test_a_get_that_writes_fails(container: TestContainer, owner: ConsoleClient):
    """The database refuses it, rather than a promise."""
    router = owner.app.router

    @router.get("/writes")
    def writes() -> None:
        container.skipped_days.skip(
            container.newsletter, TODAY + timedelta(days=2), because="a test", actor="test"
        )

    assert owner.get("/writes").status_code == 500
    assert container.skipped_days.since(container.newsletter, TODAY) == {}
