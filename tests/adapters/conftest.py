"""A PostgreSQL on loopback that asks for a password, as a server of one's own does."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from newsletter.adapters.embedded.accounts import server_account
from newsletter.adapters.embedded.cluster import data_argument, make_cluster, plain_environment
from newsletter.adapters.embedded.programs import programs_for
from tests.adapters.embedded.conftest import until
from tests.fast_folder import fast_folder
from tests.ports import free_port

_RULES = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@pytest.fixture(scope="session")
def own_server() -> Iterator[URL]:
    """The URL of a server's superuser, who comes in by a password over TCP."""
    account = server_account(create=True)
    assert account
    programs = programs_for(account)
    with tempfile.TemporaryDirectory(prefix="newsletter-own-", dir=fast_folder()) as folder:
        data, port = Path(folder) / "pg", free_port()
        Path(folder).chmod(0o711)
        make_cluster(data, programs, account)
        (data / "pg_hba.conf").write_text(_RULES)
        process = subprocess.Popen(
            [programs / "postgres", "-D", data_argument(data), "-p", str(port), "-k", data,
             "-c", "shared_buffers=16MB", "-c", "fsync=off"],
            cwd=data, env=plain_environment(), user=account.as_user, group=account.as_group,
            extra_groups=account.as_groups, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        url = URL.create("postgresql", "postgres", "first", "127.0.0.1", port, "postgres")
        until(lambda: _has_password(data, port))
        yield url
        os.kill(process.pid, signal.SIGINT)
        process.wait()


def _has_password(data: Path, port: int) -> bool:
    try:
        with psycopg.connect(host=str(data), port=port, user="postgres", autocommit=True) as one:
            one.execute("ALTER ROLE postgres PASSWORD 'first'")
    except psycopg.OperationalError:
        return False
    return True
