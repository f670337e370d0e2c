"""Two installations on one SendGrid account: each gets the events of both, and takes its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from newsletter.adapters.sendgrid.mailer import SendGridMailer
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.stores.database import make_engine
from tests.container import TestContainer, open_container
from tests.fakes import FakeClock
from tests.sandbox.conftest import Webhook, webhook  # noqa: F401  # a fixture

pytestmark = pytest.mark.postgres


@pytest.fixture
def other_engine(postgres: str, template_database: str) -> Iterator[Engine]:
    """An engine on the database of another installation."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE another TEMPLATE {template_database}")
    engine = make_engine(make_url(postgres).set(database="another").render_as_string(False))
    yield engine
    engine.dispose()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE another WITH (FORCE)")


def send(engine: Engine, sandbox: Sandbox, folder: Path, *emails: str) -> TestContainer:
    """Send an issue by this account from a database; its deliveries are counted from 1."""
    clock = FakeClock()
    mailer = SendGridMailer(api_key="SG.one", host=sandbox.url, timeout=30, clock=clock)
    container = open_container(engine, mailer=mailer, clock=clock)
    container.receive("chips")
    container.subscribe(folder, dict.fromkeys(emails, ""))
    container.send_issue()
    return container


def states(container: TestContainer) -> list[tuple[Any, ...]]:
    return container.query("SELECT place, state FROM delivery ORDER BY place")


def test_each_installation_takes_the_events_of_its_own_letters(
    engine: Engine,
    other_engine: Engine,
    tmp_path: Path,
    webhook: Webhook,  # noqa: F811
):
    readers = [f"reader{n}+delivered@example.com" for n in range(3)]
    leaving = [
        f"{outcome}+{outcome}@example.net" for outcome in ("unsubscribe", "spamreport", "bounce")
    ]
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox", webhook_url=webhook.url)) as sandbox:
        production = send(engine, sandbox, tmp_path, *readers)
        with other_engine.begin() as connection:  # a database from the same template
            connection.exec_driver_sql("UPDATE installation SET id = 'fedcba9876543210'")
        staging = send(other_engine, sandbox, tmp_path, *leaving)
        sandbox.flush()
    assert [one for one, _ in states(production)] == [one for one, _ in states(staging)]

    for container in (production, staging):
        container.receive_events(*webhook.events)

    assert [state for _, state in states(production)] == [30, 30, 30]
    assert sorted(state for _, state in states(staging)) == [70, 80, 90]
    assert production.subscriptions.counts("technology").mailable == 3
    assert staging.subscriptions.counts("technology").mailable == 0
    counted = production.event_intake.counters.values()
    assert counted["foreign_events_another_installation"] == sum(
        "example.net" in event["email"] for event in webhook.events
    )
