"""Which process leads: one of several, and another as soon as it is gone."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from newsletter.adapters.leadership import AdvisoryLeadership
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import shipped
from newsletter.stores.database import make_engine
from tests.container import TestContainer, open_container

pytestmark = pytest.mark.postgres

Contender = Callable[[], AdvisoryLeadership]


@pytest.fixture
def contender(engine: Engine) -> Iterator[Contender]:
    """Make contenders, each on a connection of its own."""
    made: list[AdvisoryLeadership] = []

    def make() -> AdvisoryLeadership:
        made.append(AdvisoryLeadership(engine))
        return made[-1]

    yield make
    for one in made:
        one.release()


def end_sessions(engine: Engine) -> None:
    """End every clock's session from the server's side, as a restart or a broken line does."""
    with engine.begin() as connection:
        connection.execute(
            text("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name LIKE 'newsletter clock %'
                       AND datname = current_database()""")
        )


def test_one_leads_until_it_lets_go(contender: Contender):
    first, second = contender(), contender()
    assert first.held()
    assert first.held()
    assert not second.held()

    first.release()

    assert second.held()
    assert not first.held()


def test_a_leader_that_lost_its_connection_leads_no_longer(contender: Contender, engine: Engine):
    first, second = contender(), contender()
    assert first.held()

    end_sessions(engine)

    until(second.held)
    assert not first.held()  # it finds its session gone
    assert not first.held()  # it asks anew, and the place is taken
    second.release()
    assert first.held()


def test_without_a_database_nobody_leads():
    nowhere = make_engine("postgresql://nobody@127.0.0.1:9/none")
    assert not AdvisoryLeadership(nowhere).held()


def test_of_many_threads_and_contenders_just_one_leads(contender: Contender):
    contenders = [contender() for _ in range(3)]
    start = threading.Barrier(6)

    def ask(number: int) -> int | None:
        start.wait()
        return number % 3 if contenders[number % 3].held() else None

    with ThreadPoolExecutor(6) as pool:
        leading = set(pool.map(ask, range(6))) - {None}
    assert len(leading) == 1


@pytest.fixture
def container(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestContainer]:
    """A container with briefs and readers, whose send hour was at midnight."""
    folder = tmp_path / "config"
    (folder / "newsletters").mkdir(parents=True)
    toml = (shipped("config") / "newsletters/technology.toml").read_text()
    for old, new in (
        (
            'days = ["mon", "tue", "wed", "thu", "fri"]',
            'days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]',
        ),
        ("assemble_at = 05:30:00", "assemble_at = 00:00:00"),
        ("send_at = 06:10:00", "send_at = 00:00:00"),
        ("catch_up_hours = 12", "catch_up_hours = 24"),
    ):
        assert old in toml
        toml = toml.replace(old, new)
    (folder / "newsletters/technology.toml").write_text(toml)
    (folder / "service.toml").write_text((shipped("config") / "service.toml").read_text())
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox")) as sandbox:
        monkeypatch.setenv("NEWSLETTER_CONFIG", str(folder))
        monkeypatch.setenv("NEWSLETTER_DATABASE_URL", database_url)
        monkeypatch.setenv("NEWSLETTER_SENDGRID_HOST", sandbox.url)
        monkeypatch.setenv("SENDGRID_API_KEY", "SG.test")
        container = open_container(engine)
        with engine.begin() as connection:
            container.clock.time = connection.execute(text("SELECT now()")).scalar_one()
        container.receive("chips")
        container.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(5)})
        yield container


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "newsletter", "scheduler"],
        stdout=subprocess.DEVNULL,
        env=os.environ,
    )


def until(true: Callable[[], object], seconds: float = 60) -> None:
    patience = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < patience, "it never came true"
        time.sleep(0.05)


def clocks(engine: Engine, *, leading: bool) -> list[int]:
    """Return the process ids of the clocks that are connected, or of the one that leads."""
    question = """
        SELECT DISTINCT CAST(split_part(application_name, ' ', 3) AS integer)
          FROM pg_stat_activity LEFT JOIN pg_locks
            ON pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory' AND granted
         WHERE application_name LIKE 'newsletter clock %' AND datname = current_database()
           AND (locktype IS NOT NULL OR NOT :leading)
    """
    with engine.begin() as connection:
        return list(connection.execute(text(question), {"leading": leading}).scalars())


def test_when_the_leading_process_is_killed_the_other_one_acts(container: TestContainer):
    def asked(question: str) -> int:
        with container.engine.begin() as connection:
            return connection.execute(text(question)).scalar_one()

    processes = {process.pid: process for process in (start(), start())}
    try:
        until(lambda: len(clocks(container.engine, leading=False)) == 2)
        until(lambda: asked("SELECT count(*) FROM schedule_cursor"))
        [leader] = clocks(container.engine, leading=True)
        assert container.rows()["issue"] == 0  # midnight was before the clock began

        processes[leader].send_signal(signal.SIGKILL)
        processes.pop(leader).wait()
        with container.engine.begin() as connection:
            connection.execute(
                text("UPDATE schedule_cursor SET began = began - interval '1 day 1 hour'")
            )

        until(lambda: asked("SELECT count(*) FROM issue WHERE state = 'sending'"))
        [(other, process)] = processes.items()
        assert clocks(container.engine, leading=True) == [other]
        assert container.rows()["delivery"] == 5
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
