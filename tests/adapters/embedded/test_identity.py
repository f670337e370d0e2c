"""No process is signalled, and no server believed in, by its number alone."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.adapters.embedded.processes import send_signal, start_mark
from tests.adapters.embedded.conftest import User, crash, postmaster, servers_in, until

pytestmark = pytest.mark.postgres
Use = Callable[..., User]


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with PostgreSQL."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_a_process_that_bears_a_dead_server_s_number_is_left_alone(
    use: Use, place: Path, innocent: subprocess.Popen[bytes]
):
    data = place / "pg"
    first = use(data)
    first.ask("CREATE TABLE kept AS SELECT 1")
    crash(data)
    first.kill()
    file = data / "postmaster.pid"
    file.write_text(file.read_text().replace(file.read_text().split("\n")[0], str(innocent.pid), 1))
    record = place / "pg.server"
    if record.exists():
        record.write_text(json.dumps(json.loads(record.read_text()) | {"pid": innocent.pid}))

    second = use(data)

    assert second.ask("SELECT count(*) FROM kept") == 1
    second.leave()
    assert innocent.poll() is None
    assert servers_in(place) == []


def test_a_number_that_means_another_process_by_now_is_not_signalled(
    innocent: subprocess.Popen[bytes],
):
    mark = start_mark(innocent.pid)
    assert mark

    assert not send_signal(innocent.pid, f"{mark}0", signal.SIGKILL)
    assert innocent.poll() is None
    assert send_signal(innocent.pid, mark, signal.SIGKILL)
    assert innocent.wait(timeout=30) == -signal.SIGKILL
    assert not send_signal(innocent.pid, mark, signal.SIGKILL)


def test_a_server_that_was_started_by_other_means_is_named_and_left_alone(use: Use, place: Path):
    data = place / "pg"
    use(data).leave()
    foreign = _by_hand(data)
    until(lambda: (data / "postmaster.pid").exists() and postmaster(data) == foreign.pid)
    try:
        assert f"process {foreign.pid}" in use(data).error
        assert foreign.poll() is None
    finally:
        foreign.terminate()
        foreign.wait()


def _by_hand(data: Path) -> subprocess.Popen[bytes]:
    from newsletter.adapters.embedded.programs import shipped

    state = data.stat()
    other = state.st_uid != os.geteuid()
    return subprocess.Popen(
        [shipped() / "postgres", "-D", data, "-c", f"unix_socket_directories={data}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=state.st_uid if other else None,
        group=state.st_gid if other else None,
    )
