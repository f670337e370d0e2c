"""Starts a WordPress of Debian's packages with a MariaDB of its own, in a folder of the test's."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.wordpress.api import api

__all__ = ["api"]  # a fixture

PACKAGE = Path("/usr/share/wordpress")
HERE = Path(__file__).parent
PROGRAMS = ("php", "mariadbd", "mariadb-install-db", "mariadb")
CONFIG = """\
<?php
define('DB_NAME', 'hub');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', '{url}');
define('WP_SITEURL', '{url}');
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) {{ define('ABSPATH', __DIR__ . '/'); }}
require_once ABSPATH . 'wp-settings.php';
"""
#: php's own server: a file that is there is served, everything else is WordPress's.
ROUTER = """\
<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/' && is_file(__DIR__ . $path)) { return false; }
require __DIR__ . '/index.php';
"""


class Hub:
    """A running site."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def php(self, script: str, given: str = "") -> str:
        return subprocess.run(
            ["php", HERE / script, self.folder],
            input=given, capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip

    def do(self, *calls: dict[str, Any]) -> list[int]:
        """Publish, edit or trash posts as WordPress itself does; return the posts' ids."""
        return json.loads(self.php("publish.php", json.dumps(calls)))


def missing() -> str:
    lacking = [one for one in PROGRAMS if not shutil.which(one)]
    return ", ".join([*lacking, *([] if PACKAGE.exists() else ["wordpress"])])


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if lacking := missing():
        if os.environ.get("REQUIRE_WORDPRESS"):
            pytest.fail(f"not installed: {lacking}")
        pytest.skip(f"a real WordPress is NOT tried, not installed: {lacking}; see make wordpress")
    folder = tmp_path_factory.mktemp("hub") / "site"
    database = tmp_path_factory.mktemp("db")
    url = f"http://127.0.0.1:{_free_port()}"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("wp-config.php", "languages"))
    (folder / "wp-config.php").write_text(CONFIG.format(socket=database / "s", url=url))
    (folder / "router.php").write_text(ROUTER)
    (folder / "wp-content/mu-plugins").mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "fields.php", folder / "wp-content/mu-plugins")
    with _MariaDb(database), _Php(folder, url):
        site = Hub(folder, url)
        site.php("install.php")
        yield site


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Program:
    """A program that runs while its block does."""

    def __init__(self, *command: Any, log: Path) -> None:
        self._command, self._log = command, log

    def __enter__(self) -> None:
        with self._log.open("wb") as log:
            self._running = subprocess.Popen(
                self._command,
                stdout=log, stderr=log, env={**os.environ, "PHP_CLI_SERVER_WORKERS": "2"},
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self.ready():
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def ready(self) -> bool:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        self._running.terminate()
        self._running.wait(20)


class _MariaDb(_Program):
    def __init__(self, folder: Path) -> None:
        self._socket, data = folder / "s", folder / "data"
        user = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal", *user],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        super().__init__(
            "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self._socket}",
            "--skip-networking", f"--pid-file={folder / 'pid'}",
            "--innodb-flush-log-at-trx-commit=0", *user, log=folder / "log",
        )  # fmt: skip

    def ready(self) -> bool:
        made = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self._socket}", "-uroot",
             "-e", "CREATE DATABASE IF NOT EXISTS hub CHARACTER SET utf8mb4"],
            capture_output=True, check=False, timeout=10,
        )  # fmt: skip
        return made.returncode == 0


class _Php(_Program):
    def __init__(self, folder: Path, url: str) -> None:
        self._url = url
        address = url.removeprefix("http://")
        super().__init__(
            "php", "-S", address, "-t", folder, folder / "router.php", log=folder.parent / "php.log"
        )

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self._url}/readme.html").is_success
        except httpx.TransportError:
            return False
