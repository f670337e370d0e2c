"""PostgreSQL on a machine of its own, reached by TCP."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from newsletter.adapters.embedded.accounts import server_account
from newsletter.adapters.embedded.cluster import data_argument, make_cluster, plain_environment
from newsletter.adapters.embedded.programs import programs_for
from tests.cluster.network import Machine

_PORT = 5432
_WHO_MAY = "host all all 10.87.0.0/24 trust\n"  # a network of this test's own


@contextmanager
def served(machine: Machine, folder: Path) -> Iterator[str]:
    """Run a server on the machine; yield the URL of its first database."""
    account = server_account(create=True)
    assert account
    programs = programs_for(account)
    make_cluster(folder, programs, account)
    (folder / "pg_hba.conf").write_text(_WHO_MAY)
    options = {
        "listen_addresses": machine.address, "port": _PORT, "unix_socket_directories": "",
        "fsync": "off",
    }  # fmt: skip
    chosen = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        machine.line([*_become(account.as_user, account.as_group),
                      str(programs / "postgres"), "-D", data_argument(folder), *chosen]),
        cwd=folder,
        env=plain_environment(),
        stdin=subprocess.DEVNULL,
        stderr=(folder.parent / "postgres.log").open("wb"),
    )  # fmt: skip
    try:
        url = f"postgresql://postgres@{machine.address}:{_PORT}/postgres"
        _await(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait(20)


def _become(user: int | None, group: int | None) -> list[str]:
    return (
        [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    )


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)
