"""Started, shared, taken over, revived, stopped; and a reason where it does not start."""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from newsletter.stores.database import make_engine
from tests.adapters.embedded.conftest import User, crash, postmaster, servers_in, until
from tests.ports import free_port

pytestmark = pytest.mark.postgres
Use = Callable[..., User]


def test_the_last_user_to_leave_stops_the_server(use: Use, place: Path):
    users = [use(place / "pg") for _ in range(5)]  # all at once, on a folder yet to be made
    assert [user.ask("SELECT 1") for user in users] == [1] * 5

    for user in users[:-1]:
        user.leave()
    assert users[-1].ask("SELECT 1") == 1
    users[-1].leave()

    assert servers_in(place) == []


def test_a_server_whose_last_user_was_killed_is_taken_over_and_stopped(use: Use, place: Path):
    killed = use(place / "pg")
    began = killed.ask("SELECT pg_postmaster_start_time()")
    killed.kill()

    successor = use(place / "pg")

    assert successor.ask("SELECT pg_postmaster_start_time()") == began
    successor.leave()
    assert servers_in(place) == []


def test_a_recovery_is_waited_for_and_spoken_of(use: Use, place: Path):
    data = place / "pg"
    use(data).leave()
    slow = (
        "restore_command = 'sleep 4; false'\nhot_standby = off\nlog_startup_progress_interval = 0\n"
    )
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(slow)
    signal_file = data / "recovery.signal"
    signal_file.touch()
    shutil.chown(signal_file, data.stat().st_uid, data.stat().st_gid)

    begin = time.monotonic()
    user = use(data)

    assert user.ask("SELECT pg_is_in_recovery()") is False
    assert time.monotonic() - begin > 10
    assert "recovers; waiting" in user.leave()


def test_a_start_that_was_killed_before_it_wrote_whom_it_started_is_taken_over(
    use: Use, place: Path
):
    killed = use(place / "pg")
    began = killed.ask("SELECT pg_postmaster_start_time()")
    killed.kill()
    (place / "pg.server").write_text("")

    successor = use(place / "pg")

    assert successor.ask("SELECT pg_postmaster_start_time()") == began
    successor.leave()
    assert servers_in(place) == []


def test_who_comes_while_the_server_recovers_waits_too(use: Use, place: Path):
    data = place / "pg"
    use(data).leave()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'sleep 1; false'\nhot_standby = off\n")
    signal_file = data / "recovery.signal"
    signal_file.touch()
    shutil.chown(signal_file, data.stat().st_uid, data.stat().st_gid)
    starter = use(data)
    until((data / "postmaster.pid").exists)
    starter.kill()

    assert use(data).ask("SELECT pg_is_in_recovery()") is False


def test_the_log_s_last_lines_say_why_it_does_not_start(use: Use, place: Path):
    data = place / "pg"
    use(data).leave()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("shared_buffers = 'plenty'\n")

    sentence = use(data).error

    assert f"the embedded PostgreSQL in {data} does not start" in sentence
    assert 'invalid value for parameter "shared_buffers": "plenty"' in sentence


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of 80 MB."""
    disk = place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_named(use: Use, small_disk: Path):
    data = small_disk / "pg"
    use(data).leave()
    _fill(small_disk / "ballast")

    sentence = use(data).error

    assert "No space left on device" in sentence or "only 0 KiB are free" in sentence


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_disk_that_is_too_small_to_begin_with_is_named(use: Use, small_disk: Path):
    with (small_disk / "ballast").open("wb") as file:
        file.write(bytes(60 * 1024 * 1024))

    assert "No space left on device" in use(small_disk / "pg").error
    assert not (small_disk / "pg").exists()
    assert not (small_disk / "pg.new").exists()


def test_a_server_that_dies_under_serve_is_started_again(place: Path):
    port, log = free_port(), place / "serve.log"
    environment = {
        "NEWSLETTER_VAR": str(place),
        "NEWSLETTER_CONFIG": str(_config(place, port)),
        "SENDGRID_API_KEY": "SG.test",
        "NEWSLETTER_SENDGRID_HOST": "http://127.0.0.1:9",
    }
    with log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "newsletter", "serve"],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
    try:
        until(lambda: _has_database(port), seconds=60)
        os.kill(postmaster(place / "postgres"), signal.SIGKILL)
        until(lambda: "runs again" in log.read_text(), seconds=30)
        until(lambda: _has_database(port), seconds=30)
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=60)
    assert servers_in(place) == []


def _config(place: Path, port: int) -> Path:
    from newsletter.settings import shipped

    shutil.copytree(shipped("config"), place / "config")
    service = place / "config" / "service.toml"
    text = service.read_text().replace("port = 8080", f"port = {port}")
    service.write_text(text.replace("console_port = 8081", "console_port = 0"))
    return place / "config"


def _has_database(port: int) -> bool:
    try:
        return bool(httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["database"])
    except httpx.HTTPError:
        return False


def test_an_engine_comes_back_with_its_server(place: Path, caplog: pytest.LogCaptureFixture):
    from newsletter.adapters.embedded import EmbeddedServer, supervised

    server = EmbeddedServer(place / ("x" * 120) / "pg")
    engine = make_engine(server.start())
    with supervised(server), caplog.at_level(logging.WARNING):
        for _ in range(2):
            with engine.connect() as connection:
                assert connection.execute(text("SELECT 1")).scalar() == 1
            before = postmaster(server.folder)
            os.kill(before, signal.SIGKILL)
            until(lambda: "runs again" in caplog.text)
            assert postmaster(server.folder) != before
            caplog.clear()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    server.release()
    assert servers_in(place) == []


def test_a_data_folder_that_is_gone_is_not_made_anew_under_its_user(place: Path):
    from newsletter.adapters.embedded import EmbeddedServer
    from newsletter.errors import DatabaseUnreachable

    server = EmbeddedServer(place / "pg")
    server.start()
    crash(server.folder)
    shutil.rmtree(server.folder)

    with pytest.raises(DatabaseUnreachable, match="is gone"):
        server.revive()

    assert not server.folder.exists()
    server.release()


def test_a_socket_that_was_cleared_away_is_made_anew(use: Use, place: Path):
    data = place / ("x" * 120) / "pg"
    first = use(data)
    assert first.ask("SELECT 1") == 1
    shutil.rmtree(first.host)

    second = use(data)

    assert second.ask("SELECT 1") == 1
    assert second.host == first.host
    for user in (first, second):
        user.leave()
    assert servers_in(place) == []


def test_a_start_that_was_cut_off_leaves_nothing_half(use: Use, place: Path):
    (place / "pg.new").mkdir()
    (place / "pg.new" / "PG_VERSION").write_text("18\n")

    assert use(place / "pg").ask("SELECT 1") == 1
    assert not (place / "pg.new").exists()


def test_a_folder_of_other_things_is_left_as_it_is(use: Use, place: Path):
    (place / "pg").mkdir()
    (place / "pg" / "letter.txt").write_text("dear")
    if os.geteuid() == 0:
        shutil.chown(place / "pg", "newsletter-postgres")

    assert "is not empty, and holds no PostgreSQL data" in use(place / "pg").error
    assert [path.name for path in (place / "pg").iterdir()] == ["letter.txt"]


def test_data_of_another_major_version_are_left_as_they_are(use: Use, place: Path):
    data = place / "pg"
    use(data).leave()
    (data / "PG_VERSION").write_text("17\n")

    sentence = use(data).error

    assert "was made by PostgreSQL 17, and this program brings 18" in sentence
    assert "newsletter restore FILE" in sentence
