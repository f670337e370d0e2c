"""A database that hangs, with real processes: it accepts everything and answers nothing."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from newsletter.settings import shipped
from tests.journeys.test_kill import settings, start, until
from tests.ports import free_port
from tests.web.proxy import Proxy

pytestmark = pytest.mark.postgres


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def proxy(database_url: str, port: int, tmp_path: Path, monkeypatch) -> Iterator[Proxy]:
    folder = tmp_path / "config"
    (folder / "newsletters").mkdir(parents=True)
    technology = "newsletters/technology.toml"
    (folder / technology).write_text((shipped("config") / technology).read_text())
    url = f"http://127.0.0.1:{port}"
    (folder / "service.toml").write_text(settings(public_url=url, port=port, console_port=0))
    with Proxy(database_url) as proxy:
        monkeypatch.setenv("NEWSLETTER_CONFIG", str(folder))
        monkeypatch.setenv("NEWSLETTER_DATABASE_URL", proxy.url)
        monkeypatch.setenv("SENDGRID_API_KEY", "SG.test")
        yield proxy


def workers(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        [found] = connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone() or [0]
    return found


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_a_process_ends_within_15_seconds_although_the_database_hangs(
    proxy: Proxy, database_url: str, port: int, verb: str
) -> None:
    process = start(verb)
    try:
        until(lambda: workers(database_url) == 1, seconds=60)
        if verb == "serve":
            until(lambda: is_ready(port))
        proxy.hang()
        if verb == "serve":
            assert min(ready_seconds(port) for _ in range(4)) < 2
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
    finally:
        process.kill()
        process.wait()


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def ready_seconds(port: int) -> float:
    with httpx.Client(timeout=30) as client:
        began = time.monotonic()
        assert client.get(f"http://127.0.0.1:{port}/readyz").status_code == 503
        return time.monotonic() - began
