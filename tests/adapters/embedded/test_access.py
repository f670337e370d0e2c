"""Who may come in, whose folders they are, and that nobody else's are touched."""

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.embedded.conftest import User, folder_of, servers_in, strangers

pytestmark = pytest.mark.postgres
Use = Callable[..., User]

_RULES = "SELECT string_agg(type || ' ' || auth_method, ', ') FROM pg_hba_file_rules"
_LONG = Path(*["a-long-name-of-a-folder" * 4] * 3)
_KNOCK = """
import os, sys, psycopg
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    psycopg.connect(host=sys.argv[1], port=5432, user="postgres", dbname="postgres").close()
    print("in")
except psycopg.OperationalError as error:
    print(error)
"""


@pytest.mark.parametrize("below", [Path(), _LONG], ids=["short", "long"])
def test_the_socket_is_in_a_folder_of_its_user_alone(use: Use, place: Path, below: Path):
    data = place / below / "pg"
    user = use(data)

    state = user.host.lstat()

    assert stat.S_IMODE(state.st_mode) == 0o700
    assert (state.st_uid, state.st_gid) == (data.stat().st_uid, data.stat().st_gid)
    assert user.ask("SHOW listen_addresses") == ""
    assert user.ask(_RULES) == "local peer"


@pytest.mark.parametrize("below", [Path(), _LONG], ids=["short", "long"])
def test_another_user_of_the_machine_is_not_let_in(
    use: Use, place: Path, stranger: str, below: Path
):
    user = use(place / below / "pg")
    uid = str(pwd.getpwnam(stranger).pw_uid)

    assert "Permission denied" in _knock(user.host, uid)
    user.host.chmod(0o755)  # even if somebody opened the folder
    (user.host / ".s.PGSQL.5432").chmod(0o777)
    assert "Peer authentication failed" in _knock(user.host, uid)


def _knock(host: Path, uid: str) -> str:
    command = [sys.executable, "-c", _KNOCK, str(host), uid]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_data_folder_that_let_everybody_in_does_so_no_longer(use: Use, place: Path):
    data = place / "pg"
    use(data).leave()
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 0.0.0.0/0 trust\n")
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("listen_addresses = '127.0.0.1'\n")

    user = use(data)

    assert user.ask(_RULES) == "local peer"
    assert user.ask("SHOW listen_addresses") == ""


def test_the_folders_above_keep_their_permissions(use: Use, place: Path):
    parents = [place / "a", place / "a" / "b", place / "a" / "b" / "c"]
    for folder in parents:
        folder.mkdir(mode=0o700)

    assert use(parents[-1] / "pg").ask("SELECT 1") == 1

    assert {stat.S_IMODE(folder.stat().st_mode) for folder in parents} == {0o700}


def test_root_leaves_a_user_s_data_as_they_are_and_says_whose_they_are(
    use: Use, place: Path, stranger: str
):
    data = folder_of(place, stranger) / "pg"
    use(data, name=stranger).leave()
    before = _tree(data.parent)

    sentence = use(data).error

    assert f"{data} belongs to {stranger}, and this process runs as root" in sentence
    assert _tree(data.parent) == before
    assert use(data, name=stranger).ask("SELECT 1") == 1


def test_a_user_leaves_root_s_data_as_they_are(use: Use, place: Path, stranger: str):
    data = place / "pg"
    use(data).leave()
    before = _tree(place)

    assert "run this as root" in use(data, name=stranger).error

    assert _tree(place) == before
    assert use(data).ask("SELECT 1") == 1


def test_two_users_of_one_machine_do_not_hinder_each_other(use: Use, place: Path):
    temporary = place / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    users = [
        use(folder_of(place, name) / "pg", name=name, TMPDIR=str(temporary), XDG_RUNTIME_DIR="")
        for name in strangers(place)
    ]

    assert [user.ask("SELECT 1") for user in users] == [1, 1]

    assert list(temporary.iterdir()) == []
    for user in users:
        user.leave()
    assert servers_in(place) == []


def _tree(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Return owner, group, mode, size and age of everything below a folder."""
    found = [folder, *folder.rglob("*")]
    states = {path: path.lstat() for path in found}
    return {
        path: (s.st_uid, s.st_gid, s.st_mode, s.st_size, s.st_mtime_ns)
        for path, s in states.items()
    }


def test_a_user_without_a_right_to_the_folder_gets_a_sentence(use: Use, place: Path, stranger: str):
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    assert os.geteuid() == 0

    assert (
        f"{closed / 'pg'} cannot be looked at by {stranger}"
        in use(closed / "pg", name=stranger).error
    )
