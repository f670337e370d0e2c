"""Servers that answer and yet will not do: each is named in a sentence, before any work."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url, text

from newsletter.errors import DatabaseMismatch
from newsletter.stores.database import make_engine, migrate
from newsletter.stores.duties import UNSUBSCRIBING
from newsletter.stores.server_checks import require_sessions
from tests.ports import free_port

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_is_not_in_utf8_is_refused_before_it_gets_a_table(
    postgres: str, encoding: str
) -> None:
    name = f"in_{encoding.lower()}"
    made = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(made)
    engine = make_engine(make_url(postgres).set(database=name))

    with pytest.raises(DatabaseMismatch, match=f"{name}.* is encoded in {encoding}, "):
        migrate(engine)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is None
    engine.dispose()


def test_postgresql_itself_keeps_sessions(database_url: str) -> None:
    require_sessions(make_url(database_url).set(drivername="postgresql+psycopg"))


@pytest.fixture
def bouncer() -> str:
    """The program of a real pooler; skipped loudly where there is none."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("there is no pgbouncer on this machine (apt-get install pgbouncer)")
    return found


@pytest.fixture
def pooled(bouncer: str, database_url: str) -> Iterator[Callable[[str], URL]]:
    """Start a real pooler before the database, in a mode; returns its URL."""
    running: list[subprocess.Popen[bytes]] = []
    own_folder = Path(tempfile.mkdtemp())  # pytest's own lets no other user in

    def start(mode: str) -> URL:
        url, port = make_url(database_url), free_port()
        folder = Path(str(url.query["host"]))
        user = folder.stat().st_uid  # whom PostgreSQL lets in; a pooler refuses to run as root
        config = own_folder / "pgbouncer.ini"
        server = f"host={folder} port={url.query['port']} dbname={url.database}"
        lines = (
            "[databases]",
            f"{url.database} = {server} user={url.username}",
            "[pgbouncer]",
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =",
            f"auth_type = any\npool_mode = {mode}",
        )
        config.write_text("\n".join(lines))
        for path in (config, config.parent):
            os.chown(path, user, -1)
        silent = subprocess.DEVNULL
        running.append(
            subprocess.Popen([bouncer, str(config)], user=user, stdout=silent, stderr=silent)
        )
        await_port(port)
        return URL.create(
            "postgresql+psycopg", url.username, host="127.0.0.1", port=port, database=url.database
        )

    yield start
    for process in running:
        process.kill()
        process.wait()
    shutil.rmtree(own_folder)


def await_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail("the pooler does not start")


def test_a_pooler_that_shares_sessions_is_named_instead_of_sending_nothing(
    pooled: Callable[[str], URL],
) -> None:
    with pytest.raises(DatabaseMismatch, match=r"a pooler at .*pool_mode = session"):
        require_sessions(pooled("transaction"))


def test_a_pooler_that_keeps_sessions_will_do(pooled: Callable[[str], URL]) -> None:
    url = pooled("session")
    require_sessions(url)
    engine = make_engine(url, UNSUBSCRIBING)
    with engine.connect() as connection:  # the limits hold behind it, too
        shown = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("lock_timeout", "statement_timeout", "application_name")
        ]
    engine.dispose()
    assert shown == ["100ms", "2s", "newsletter unsubscribe"]
