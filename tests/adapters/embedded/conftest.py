"""Real servers, used by real processes, which can be killed."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from newsletter.adapters.embedded.programs import shipped
from tests.fast_folder import fast_folder

PROGRAM = Path(__file__).with_name("user.py")
#: Users of every Linux machine; only root can become one.
STRANGERS = ("nobody", "daemon")


class User:
    """A process that uses the server of a folder."""

    def __init__(self, folder: Path, *, name: str | None = None, **environment: str) -> None:
        more = {"EMBEDDED_TEST_USER": name} if name else {}
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **more, **environment},
        )
        self._said: dict[str, Any] | None = None

    @property
    def said(self) -> dict[str, Any]:
        """Return what the start came to."""
        if self._said is None:
            line = self._line()
            assert line, self.process.communicate()[1]
            self._said = json.loads(line)
        assert self._said is not None
        return self._said

    @property
    def host(self) -> Path:
        """Return the folder of the server's socket."""
        assert "host" in self.said, self.said
        return Path(self.said["host"])

    @property
    def error(self) -> str:
        """Return the sentence that the start failed with."""
        assert "error" in self.said, self.said
        return self.said["error"]

    def ask(self, statement: str) -> Any:
        assert self.host
        assert self.process.stdin
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        line = self._line()
        assert line, self.process.communicate()[1]
        return json.loads(line)

    def leave(self) -> str:
        """End in order; return what stands on stderr."""
        if self.process.stderr is None or self.process.stderr.closed:
            return ""
        return self.process.communicate(timeout=60)[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()


@pytest.fixture
def use() -> Iterator[Callable[..., User]]:
    """Start users, and end those that are left."""
    users: list[User] = []

    def start(folder: Path, **options: str) -> User:
        users.append(User(folder, **options))
        return users[-1]

    yield start
    for user in users:
        user.leave()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may pass through, too."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-test-", dir=fast_folder()))
    folder.chmod(0o755)
    yield folder
    for pid in servers_in(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stranger(place: Path) -> str:
    """Another user of this machine, who can run this program."""
    return strangers(place)[0]


def strangers(place: Path) -> tuple[str, ...]:
    """Return users that only root can become; the test is skipped elsewhere."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    for path in (shipped(), place):
        if not all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents)):
            pytest.skip(f"another user cannot reach {path}")
    return STRANGERS


def folder_of(place: Path, name: str) -> Path:
    """Return a new folder of another user."""
    folder = place / name
    folder.mkdir()
    entry = pwd.getpwnam(name)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


def postmaster(data: Path) -> int:
    """Return the number of the server's first process."""
    return int((data / "postmaster.pid").read_text().split()[0])


def servers_in(place: Path) -> list[int]:
    """Return the numbers of PostgreSQL's processes that work below a folder."""
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"].startswith("postgres") and _is_below(process.cwd(), place):
                found.append(process.pid)
    return found


def _is_below(folder: str, place: Path) -> bool:
    return place in Path(folder.removesuffix(" (deleted)")).parents


def until(happens: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what this comes to, once that is something."""
    patience = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < patience, "it does not happen"
        time.sleep(0.05)
    return found


def crash(data: Path) -> None:
    """Let the server die as in a power cut, and nothing be tidied up."""
    os.kill(postmaster(data), signal.SIGKILL)
    until(lambda: not servers_in(data.parent))
