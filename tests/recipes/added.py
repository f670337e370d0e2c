"""Tests of what the recipes added; they run in the copy of the tree that has it.

One test for each recipe, named as in `test_recipes.py`. What was added is imported within the
tests, since this tree does not have it.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Engine
from typer.testing import CliRunner

from newsletter.adapters.sources.fetching import Document, FetchLimits
from newsletter.adapters.sources.files import find_files, read_file
from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Verification
from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.source import PolledSource, SourceKind
from newsletter.core.source_record import SourceReading, Validators
from newsletter.core.staff import Grant, Permission
from newsletter.core.verification import Ruling
from newsletter.stores.schedule import ScheduleStore
from subscribers.lists.formats import recognise
from subscribers.model import SubscriptionStatus
from tests.container import brief, open_container
from tests.settings import TECHNOLOGY
from tests.web.console.serving import ConsoleClient, console_container, sign_in

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_add_a_check(engine: Engine) -> None:
    shouted = open_container(engine).intake.receive(brief(title="A FOUNDRY HALVES ITS WATER"))
    findings = {one.check: one for one in shouted.stored.verdict.findings}
    assert not findings["title_case"].passed
    assert shouted.stored.ruling is Ruling.HELD


def test_add_a_topic(engine: Engine, tmp_path: Path) -> None:
    assert "space" in TECHNOLOGY.topic_slugs
    container = open_container(engine)
    received = container.intake.receive(brief(title="A rocket lands on its pad", topics=()))
    assert received.stored.verdict.topics[0] == "space"
    container.subscribe(tmp_path, {"r1@example.com": "space"})
    container.send_issue()
    assert container.mailer.addresses == ["r1@example.com"]


def test_add_a_source_format(tmp_path: Path) -> None:
    path = tmp_path / "brief.lines"
    path.write_text("title=A rocket lands on its pad\npillar=Technology\n")
    [found] = read_file(*find_files([tmp_path]))
    assert (found.title, found.verification) == (
        "A rocket lands on its pad",
        Verification.UNVERIFIED,
    )


def test_add_a_polled_source() -> None:
    def get(url: str, **_: Any) -> Document:
        assert url == "https://example.org/list.txt"
        return Document(body=b"7|A rocket lands on its pad|It landed.\n|no id|\n")

    fetcher: Any = SimpleNamespace(limits=FetchLimits(), get=get)
    source = PolledSource(slug="list", kind=SourceKind("lines"), url="https://example.org/list.txt")
    found = HttpSourceReader(fetcher).read(TECHNOLOGY, source, Validators(), NOW)
    assert isinstance(found, SourceReading)
    assert [one.key for one in found.briefs] == ["technology/list/7"]
    assert [one.item for one in found.refused] == ["item 2 “no id”"]


def test_add_an_operator_alert(engine: Engine) -> None:
    alert = OperatorAlert(
        kind=OperatorAlertKind("list shrunk"),
        newsletter="technology",
        date=date(2026, 11, 23),
        sentence="the list lost a tenth of its readers since yesterday",
    )
    alerts = ScheduleStore(engine)
    alerts.queue_alert(alert, NOW)
    assert [one for _, one in alerts.pending_alerts()] == [alert]
    assert "newsletter subscribers health" in alert.body


def test_add_a_list_format(engine: Engine, tmp_path: Path) -> None:
    known = recognise(("reader address", "reader state"), {})
    assert known is not None
    assert known.name == "Letterpost"
    path = tmp_path / "export.csv"
    path.write_text("Reader Address,Reader State\na@example.com,on\nb@example.com,off\n")
    container = open_container(engine)
    container.lists.import_list(
        path,
        TECHNOLOGY.slug,
        known_topics=TECHNOLOGY.topic_slugs,
        default_zone="UTC",
        consent_source="test",
        now=NOW,
    )
    reading, left = (
        [one.status for one in container.subscriptions.by_email(email)]
        for email in ("a@example.com", "b@example.com")
    )
    assert reading == [SubscriptionStatus.ACTIVE]
    assert SubscriptionStatus.ACTIVE not in left


def test_add_a_command() -> None:
    from newsletter.cli.app import app

    done = CliRunner().invoke(app, ["motto", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == {"tagline": TECHNOLOGY.tagline}


def test_add_a_page(engine: Engine) -> None:
    app = httpx.ASGITransport(open_container(engine).app)

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=app, base_url="http://127.0.0.1") as client:
            return await client.get("/technology/about")

    page = anyio.run(get)
    assert page.status_code == 200
    assert TECHNOLOGY.tagline in page.text


def test_add_a_console_page(engine: Engine) -> None:
    container = console_container(engine, "http://localhost")
    role = Grant(permission=Permission.SEE, newsletter=TECHNOLOGY.slug)
    token = sign_in(container, "see@example.org", role)
    with start_blocking_portal() as portal:
        asked = ConsoleClient(container.console, portal, "http://localhost", token)
        page = asked.get(f"/{TECHNOLOGY.slug}/motto")
    assert page.status_code == 200
    assert TECHNOLOGY.tagline in page.text


def test_add_a_subscription_column(engine: Engine, tmp_path: Path) -> None:
    container = open_container(engine)
    container.subscribe(tmp_path, {"r1@example.com": ""})
    [before] = container.subscriptions.by_email("r1@example.com")
    container.query("UPDATE subscription SET birthday = '2000-02-29' RETURNING id")
    [after] = container.subscriptions.by_email("r1@example.com")
    added: Any = (before, after)
    assert [one.birthday for one in added] == [None, date(2000, 2, 29)]
