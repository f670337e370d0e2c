"""A process killed, or replaced, amid an issue: nobody is forgotten, nobody gets it twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.container import Container
from newsletter.core.publication import day_of
from newsletter.core.stored import IssueStatus
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import load_settings, shipped
from tests.container import brief
from tests.ports import free_port

pytestmark = pytest.mark.postgres

READERS = 60


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sandbox(tmp_path: Path, port: int) -> Iterator[Sandbox]:
    config = SandboxConfig(
        data=tmp_path / "sandbox", webhook_url=f"http://127.0.0.1:{port}/webhooks/sendgrid"
    )
    with Sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def container(
    database_url: str, sandbox: Sandbox, port: int, tmp_path: Path, monkeypatch
) -> Iterator[Container]:
    """A house whose settings its own processes read, too."""
    folder = tmp_path / "config"
    (folder / "newsletters").mkdir(parents=True)
    technology = "newsletters/technology.toml"
    (folder / technology).write_text((shipped("config") / technology).read_text())
    (folder / "service.toml").write_text(
        settings(
            public_url=f"http://127.0.0.1:{port}",
            port=port,
            console_port=0,
            timeout_seconds=20,
            batch_size=10,
            lease_seconds=2,
            concurrency=2,
        )
    )
    monkeypatch.setenv("NEWSLETTER_SENDGRID_HOST", sandbox.url)
    monkeypatch.setenv("NEWSLETTER_CONFIG", str(folder))
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", database_url)
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.test")
    monkeypatch.setenv("SENDGRID_WEBHOOK_KEY", sandbox.public_key)
    container = Container(load_settings())
    fill(container, tmp_path)
    yield container
    container.close()


def settings(**changes: object) -> str:
    """Return the shipped service settings with some values changed."""
    text = (shipped("config") / "service.toml").read_text()
    for key, value in changes.items():
        text, found = re.subn(rf"(?m)^{key} = [^#\n]*", f"{key} = {json.dumps(value)} ", text)
        assert found == 1, key
    return text


def fill(container: Container, folder: Path) -> None:
    for topic in ("chips", "security"):
        container.intake.receive(brief(topic))
    path = folder / "list.csv"
    path.write_text("email\n" + "\n".join(f"r{n}@example.com" for n in range(READERS)))
    container.lists.import_list(
        path,
        "technology",
        known_topics=(),
        default_zone="UTC",
        consent_source="test",
        now=container.clock.now(),
    )


def start(verb: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "newsletter", verb], stdout=subprocess.DEVNULL, env=os.environ
    )


def until(true: Callable[[], object], seconds: float = 60) -> None:
    patience = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < patience, "it never came true"
        time.sleep(0.05)


def test_a_worker_killed_with_a_request_under_way(container: Container, sandbox: Sandbox):
    newsletter = container.settings.newsletter("technology")
    on = day_of(newsletter.timetable, container.clock.now())
    sandbox.fail({"kind": "hang", "times": 1, "seconds": 15})
    stored = container.planning.hand_over(newsletter, on).issue
    first = start("worker")  # it has no ear for events: they wait for the next process
    try:
        # One request hangs, accepted but unanswered; the other five are through.
        until(lambda: container.deliveries.totals(stored.id).sums.accepted == READERS - 10)
        until(lambda: sandbox.stats()["faults"].get("hang") == 1)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert container.deliveries.totals(stored.id).sums.to_go == 10

    second = start("serve")
    try:  # the events of the hung request prove that it was accepted whole
        until(lambda: container.publishing.issue(newsletter, on).state is IssueStatus.SENT)
        until(lambda: container.deliveries.totals(stored.id).sums.accepted == READERS)
    finally:
        second.terminate()
        assert second.wait(timeout=30) == 0

    account, stats = container.deliveries.totals(stored.id), sandbox.stats()
    assert account.sums.adds_up
    assert stats["accepted_recipients"] == stats["distinct_recipients"] == READERS
    assert stats["repeated"] == 0


def test_a_new_api_key_takes_over_while_an_issue_leaves(
    container: Container, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    newsletter = container.settings.newsletter("technology")
    on = day_of(newsletter.timetable, container.clock.now())
    sandbox.set_account(keys=["SG.test", "SG.second"])
    sandbox.fail({"kind": "status_429", "times": 1, "seconds": 4})  # the rest waits so long
    stored = container.planning.hand_over(newsletter, on).issue
    old = start("worker")
    try:
        until(lambda: sandbox.stats()["faults"].get("status_429") == 1)
        monkeypatch.setenv("SENDGRID_API_KEY", "SG.second")
        new = start("worker")
    finally:
        old.terminate()  # what it has begun is recorded first
        assert old.wait(timeout=30) == 0
    sandbox.set_account(keys=["SG.second"])
    assert container.deliveries.totals(stored.id).sums.to_go
    try:
        until(lambda: container.publishing.issue(newsletter, on).state is IssueStatus.SENT)
    finally:
        new.terminate()
        assert new.wait(timeout=30) == 0

    sums, stats = container.deliveries.totals(stored.id).sums, sandbox.stats()
    assert (sums.accepted, sums.refused, sums.unknown) == (READERS, 0, 0)
    assert stats["accepted_recipients"] == stats["distinct_recipients"] == READERS
    assert stats["repeated"] == 0


def test_a_request_whose_outcome_nobody_knows_is_named_and_nothing_else_is_lost(
    container: Container, sandbox: Sandbox
):
    newsletter = container.settings.newsletter("technology")
    on = day_of(newsletter.timetable, container.clock.now())
    sandbox.fail({"kind": "close_before_read", "times": 1})
    stored = container.planning.hand_over(newsletter, on).issue
    worker = start("worker")
    try:
        until(lambda: container.deliveries.totals(stored.id).awaited)
    finally:
        worker.terminate()
        assert worker.wait(timeout=30) == 0
    assert container.publishing.issue(newsletter, on).state is IssueStatus.SENDING

    sums = container.deliveries.totals(stored.id).sums
    assert (sums.unknown, sums.accepted) == (10, READERS - 10)
    assert sums.adds_up
    assert sandbox.stats()["accepted_recipients"] == READERS - 10
