"""What every test may use: a real PostgreSQL, and a database of its own."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright
from sqlalchemy import Engine, make_url

from tests.chromium import ARGUMENTS, find_chromium
from tests.compiled_templates import remember_compiled_templates
from tests.databases import Copy, Reused, fresh_database, opened
from tests.fast_folder import fast_folder
from tests.openapi import VARIABLE
from tests.programs import NOT_TRIED

for name in [n for n in os.environ if n.startswith(("NEWSLETTER_", "SENDGRID_")) and n != VARIABLE]:
    del os.environ[name]

# A suite that a shell began in the background ignores Ctrl-C, and so would all that it begins.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("suite", deadline=None)  # a busy machine is slow at times
settings.load_profile("suite")

remember_compiled_templates()

#: Fixtures that tests of several folders use.
pytest_plugins = [
    "tests.alert_receiver",
    "tests.held_to_openapi",
    "tests.sources",
    "tests.webhook_endpoint",
]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an embedded server that lives as long as this test process."""
    from newsletter.adapters.embedded import running

    with (
        tempfile.TemporaryDirectory(prefix="newsletter-tests-", dir=fast_folder()) as folder,
        running(Path(folder) / "pg") as url,
    ):
        yield url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template_database(postgres: str) -> str:
    """A database with all tables, to copy from."""
    from newsletter.stores.database import make_engine, migrate

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_newsletter")
    url = str(make_url(postgres).set(database="template_newsletter").render_as_string(False))
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    return "template_newsletter"


@pytest.fixture(scope="session")
def reused(postgres: str, template_database: str) -> Iterator[Reused]:
    """The database that one test after another gets."""
    reused = Reused(postgres, template_database)
    yield reused
    reused.drop()


@pytest.fixture
def database(reused: Reused) -> Iterator[Copy]:
    """An empty database with all tables."""
    with reused.lent() as copy:
        yield copy


@pytest.fixture
def database_url(database: Copy) -> str:
    """The URL of an empty database with all tables."""
    return database.url


@pytest.fixture
def engine(database: Copy) -> Engine:
    """An engine on an empty database with all tables."""
    return database.engine


@pytest.fixture(scope="module")
def shared_engine(postgres: str, template_database: str) -> Iterator[Engine]:
    """An engine on a database that the tests of a module share: each leaves what others expect."""
    with fresh_database(postgres, template_database) as url, opened(url) as engine:
        yield engine


@pytest.fixture
def set_in_type_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each container keep galleys of its own, as in production."""
    from tests.container import TestContainer

    monkeypatch.delattr(TestContainer, "_kept_galleys")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium that speaks to nobody but the test.

    Not for the whole session: Playwright's event loop would run on beneath all later tests.
    """
    path = find_chromium()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    expect.set_options(timeout=20_000)  # a machine that runs the whole suite is slow at times
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


#: What takes longest, mostly to wait for processes: it comes first, and all else goes on beside it.
_SLOW = (
    "torture",
    "web/console/test_every_page.py",
    "bench",
    "journeys",
    "demo",
    "adapters/embedded",
    "web/console/test_morning.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(tests).as_posix() if item.path.is_relative_to(tests) else ""
        return next((at for at, slow in enumerate(_SLOW) if name.startswith(slow)), len(_SLOW))

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Close with a loud line if the browser tests were skipped, or those of a missing program."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "browser" in r.keywords]
    if skipped:
        line = f"{len(skipped)} BROWSER TESTS WERE SKIPPED: there is no Chromium on this machine"
        terminalreporter.write_sep("!", line, red=True, bold=True)
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(
        {NOT_TRIED + one.split(NOT_TRIED)[1] for one in reasons if NOT_TRIED in one}
    ):
        terminalreporter.write_sep("!", reason.removesuffix("')"), red=True, bold=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where browser tests are required, and were skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("REQUIRE_BROWSER") or reporter is None:
        return
    if any("browser" in report.keywords for report in reporter.stats.get("skipped", [])):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
