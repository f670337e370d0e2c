"""Where the torture takes place: PostgreSQL, a stand-in, a list, and a fresh database per round."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from pydantic import SecretStr
from sqlalchemy import make_url

from newsletter.adapters.embedded import open_server
from newsletter.bootstrap import House
from newsletter.demo.environment import free_port
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.services.publishing import day_of
from newsletter.settings import Settings, load_settings, shipped
from tests.house import brief

T = TypeVar("T")

SLUG = "technology"
TOPICS = ("chips", "security", "software")
LEASE = 2  #: seconds
_TEMPLATE = "torture_template"
#: An answer is waited for less long than the lease; no fuse, no pace: nothing may hide a loss.
_SERVICE = """
public_url = "http://127.0.0.1:{port}"
[web]
host = "127.0.0.1"
port = {port}
[sendgrid]
host = "{sandbox}"
timeout_seconds = 1.5
[sending]
batch_size = {batch_size}
lease_seconds = {lease}
concurrency = 2
quiet_minutes = {quiet}
absence_minutes = {quiet}
[fuse]
after = 1000000000
refused = 1
unknown = 1
bounced = 1
complained = 1
[pace]
per_minute = 0
per_day = 0
warm_up = {{}}
"""


@dataclass(frozen=True)
class Place:
    """A folder, a server, a stand-in, and a database with a list to copy from."""

    folder: Path
    server: str  #: URL of the server's first database
    sandbox: Sandbox
    settings: Settings
    recipients: int
    quiet: float  #: seconds

    @property
    def on(self) -> date:
        """Return the date of every issue."""
        return date.fromisoformat((self.folder / "day").read_text())

    def fresh(self, number: int) -> str:
        """Return the URL of a fresh database, and let the stand-in forget."""
        self.sandbox.fail()
        self.sandbox.clear()
        name = f"round_{number}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            # With WAL_LOG, the default, a copied sequence goes back when the server crashes.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        return _url(self.server, name)

    def drop(self, url: str) -> None:
        """Clear a round's database away."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    @contextmanager
    def house(self, url: str) -> Iterator[House]:
        """Open the service on a database, to look at it and to decide as a person does."""
        update = {"database_url": SecretStr(url)}
        environment = self.settings.environment.model_copy(update=update)
        with closing(House(replace(self.settings, environment=environment))) as house:
            yield house

    def environ(self, url: str) -> dict[str, str]:
        """Return what a process of the service reads from its environment."""
        return {
            "NEWSLETTER_CONFIG": str(self.folder / "config"),
            "NEWSLETTER_DATABASE_URL": url,
            "SENDGRID_API_KEY": "SG.torture",
            "SENDGRID_WEBHOOK_KEY": self.settings.environment.sendgrid_webhook_key or "",
        }

    def restart_postgres(self) -> None:
        """Let PostgreSQL stop as in a power cut, and come back."""
        server = open_server(self.folder / "postgres")
        os.kill(int((server.folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        while server.is_alive():
            time.sleep(0.05)
        server.revive()


class Onlooker:
    """A connection that only looks, and comes back after the server did."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self, question: str) -> Any:
        """Return the first column of the first row; wait for a server that is away."""
        return patiently(lambda: self._ask(question), psycopg.OperationalError)

    def _ask(self, question: str) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, autocommit=True)
        row = self._connection.execute(question).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Let go."""
        if self._connection:
            self._connection.close()


def patiently(act: Callable[[], T], *errors: type[Exception], seconds: float = 20) -> T:
    """Return what comes of it once none of these errors does."""
    patience = time.monotonic() + seconds
    while True:
        try:
            return act()
        except errors:
            if time.monotonic() > patience:
                raise
            time.sleep(0.1)


@contextmanager
def opened(
    *,
    recipients: int,
    batch_size: int,
    quiet: float = 6,
    events: bool = True,
    logs: bool = True,
) -> Iterator[Place]:
    """Make a place, and clear it away afterwards; without events there is no webhook."""
    with tempfile.TemporaryDirectory(prefix="newsletter-torture-", ignore_cleanup_errors=True) as t:
        folder, port = Path(t), free_port(0)
        config = SandboxConfig(
            data=folder / "sandbox",
            webhook_url=f"http://127.0.0.1:{port}/webhooks/sendgrid",
            events=events,
            logs=logs,
            duplicates=0.05,
        )
        with Sandbox(config) as sandbox:
            values = {"port": port, "batch_size": batch_size, "quiet": quiet / 60}
            settings = _configure(folder, sandbox, values)
            server = open_server(folder / "postgres")
            url = server.start().set(drivername="postgresql")
            plain = url.render_as_string(hide_password=False)
            place = Place(folder, plain, sandbox, settings, recipients, quiet)
            try:
                _fill(place)
                yield place
            finally:
                server.release()


def _configure(folder: Path, sandbox: Sandbox, values: dict[str, float]) -> Settings:
    config = folder / "config"
    (config / "newsletters").mkdir(parents=True)
    name = f"newsletters/{SLUG}.toml"
    (config / name).write_text((shipped("config") / name).read_text())
    (config / "service.toml").write_text(
        _SERVICE.format(lease=LEASE, sandbox=sandbox.url, **values)
    )
    settings = load_settings(config)
    update = {
        "var": folder,
        "sendgrid_api_key": SecretStr("SG.torture"),
        "sendgrid_webhook_key": sandbox.public_key if sandbox.config.events else None,
    }
    return replace(settings, environment=settings.environment.model_copy(update=update))


def _fill(place: Place) -> None:
    url = _url(place.server, _TEMPLATE)
    with psycopg.connect(place.server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
    path = place.folder / "list.csv"
    path.write_text(
        "email,topics\n"
        + "\n".join(f"r{n}@example.com,{_choice(n)}" for n in range(place.recipients))
    )
    with place.house(url) as house:
        newsletter = house.settings.newsletter(SLUG)
        for topic in TOPICS:
            house.intake.receive(brief(topic))
        house.lists.import_list(
            path,
            SLUG,
            known_topics=newsletter.topic_slugs,
            default_zone="UTC",
            consent_source="torture",
            now=house.clock.now(),
        )
        (place.folder / "day").write_text(str(day_of(newsletter, house.clock.now())))


def _choice(number: int) -> str:
    """Return one of the seven topic sets, in turn."""
    mask = number % 7 + 1
    return ";".join(topic for bit, topic in enumerate(TOPICS) if mask >> bit & 1)


def _url(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)
