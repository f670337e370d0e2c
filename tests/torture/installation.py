"""What the torture runs on: PostgreSQL, a sandbox, a list, and a fresh database per round."""

import os
import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg
from pydantic import SecretStr
from sqlalchemy import URL, make_url

from newsletter.adapters.embedded import open_server
from newsletter.container import Container
from newsletter.core.publication import day_of
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import Settings, load_settings, shipped
from tests.container import brief
from tests.ports import free_port
from tests.torture.moved_clock import CLOCK
from tests.torture.relay import Relay

SLUG = "technology"
TOPICS = ("chips", "security", "software")
LEASE = 2  #: seconds
_TEMPLATE = "torture_template"
#: The timeout is shorter than the lease; no sending limits, because nothing may hide a loss.
SERVICE = """
public_url = "http://127.0.0.1:{port}"
[web]
host = "127.0.0.1"
port = {port}
console_port = 0
[sendgrid]
host = "{sandbox}"
timeout_seconds = 1.5
[sending]
batch_size = {batch_size}
lease_seconds = {lease}
concurrency = 2
quiet_minutes = {quiet}
absence_minutes = {quiet}
[circuit_breaker]
after = 1000000000
refused = 1
unknown = 1
bounced = 1
complained = 1
[rate_limit]
per_minute = 0
per_day = 0
warm_up = {{}}
"""


@dataclass(frozen=True)
class Installation:
    """A folder, a server, a sandbox, and a database with a list to copy from."""

    folder: Path
    server: str  #: URL of the server's first database
    sandbox: Sandbox
    settings: Settings
    recipients: int
    quiet: float  #: seconds
    relay: Relay | None = None  #: on which events come, if they do not come straight

    @property
    def log(self) -> Path:
        """Return where the processes write their errors."""
        return self.folder / "processes.log"

    @property
    def clock(self) -> Path:
        """Return the file that moves the processes' clock, once it is there."""
        return self.folder / "clock"

    @property
    def pending(self) -> int:
        """Return what SendGrid has still to tell."""
        held = self.relay.held if self.relay else 0
        return held + self.sandbox.stats()["events"]["pending_recipients"]

    @property
    def on(self) -> date:
        """Return the date of every issue."""
        return date.fromisoformat((self.folder / "day").read_text())

    def fresh(self, number: str) -> str:
        """Return the URL of a fresh database, and clear the sandbox."""
        self.sandbox.fail()
        self.sandbox.clear()
        name = f"round_{number}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            # With WAL_LOG, the default, a copied sequence goes back when the server crashes.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        return _url(self.server, name)

    def drop(self, url: str) -> None:
        """Drop a round's database."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    @contextmanager
    def container(self, url: str) -> Iterator[Container]:
        """Open the service on a database, to look at it and to decide as a person does."""
        update = {"database_url": SecretStr(url)}
        environment = self.settings.environment.model_copy(update=update)
        with closing(Container(replace(self.settings, environment=environment))) as container:
            yield container

    def environ(self, url: str) -> dict[str, str]:
        """Return what a process of the service reads from its environment."""
        moved = {CLOCK: str(self.clock)} if self.clock.exists() else {}
        return moved | {
            "NEWSLETTER_CONFIG": str(self.folder / "config"),
            "NEWSLETTER_DATABASE_URL": url,
            "SENDGRID_API_KEY": "SG.torture",
            "SENDGRID_WEBHOOK_KEY": self.settings.environment.sendgrid_webhook_key or "",
        }

    def is_served(self) -> bool:
        """Return whether the service answers."""
        try:
            with urllib.request.urlopen(f"{self.settings.public_url}/healthz", timeout=2):
                return True
        except OSError:
            return False

    def kill_postgres(self) -> None:
        """Kill PostgreSQL without warning; the service has to start it again."""
        raise NotImplementedError

    def restart_postgres(self) -> None:
        """Let PostgreSQL stop as in a power cut, and start it again."""
        server = open_server(self.folder / "postgres")
        os.kill(int((server.folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        while server.is_alive():
            time.sleep(0.05)
        server.revive()


class DefaultInstallation(Installation):
    """The same without a database of its own: the service starts one in a fresh folder."""

    def fresh(self, number: str) -> str:
        """Return the URL of a fresh database, and clear the sandbox."""
        self.sandbox.fail()
        self.sandbox.clear()
        url = _plain(open_server(self._data(number)).start())
        fill(self, url)
        (self.folder / "round").write_text(number)
        return url

    def drop(self, url: str) -> None:
        """Stop a round's server, and remove its data."""
        del url
        data = self._data(self._round)
        open_server(data).release()
        shutil.rmtree(data.parent)

    def environ(self, url: str) -> dict[str, str]:
        """Return what a process of the service reads from its environment."""
        var = str(self._data(self._round).parent)
        return super().environ(url) | {"NEWSLETTER_DATABASE_URL": "", "NEWSLETTER_VAR": var}

    def kill_postgres(self) -> None:
        """Kill PostgreSQL without warning; the service has to start it again."""
        lines = (self._data(self._round) / "postmaster.pid").read_text().split()
        os.kill(int(lines[0]), signal.SIGKILL)  # its own file names it; a moment ago it answered

    @property
    def _round(self) -> str:
        return (self.folder / "round").read_text()

    def _data(self, number: str) -> Path:
        return self.folder / f"var-{number}" / "postgres"


@contextmanager
def opened(
    *,
    recipients: int,
    batch_size: int,
    quiet: float = 6,
    events: bool = True,
    logs: bool = True,
    relayed: bool = False,
    default: bool = False,
) -> Iterator[Installation]:
    """Make an installation, and clear it away afterwards; without events there is no webhook."""
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="newsletter-torture-", ignore_cleanup_errors=True)
        folder, port = Path(stack.enter_context(made)), free_port()
        webhook = f"http://127.0.0.1:{port}/webhooks/sendgrid"
        relay = stack.enter_context(Relay(webhook)) if relayed else None
        config = SandboxConfig(
            data=folder / "sandbox",
            webhook_url=relay.url if relay else webhook,
            events=events,
            logs=logs,
            duplicates=0.05,
        )
        sandbox = stack.enter_context(Sandbox(config))
        values = {"port": port, "batch_size": batch_size, "quiet": quiet / 60}
        settings = _configure(folder, sandbox, values)
        shared = (sandbox, settings, recipients, quiet, relay)
        if default:
            yield DefaultInstallation(folder, "", *shared)
        else:
            server = open_server(folder / "postgres")
            stack.callback(server.release)
            url = _plain(server.start())
            installation = Installation(folder, url, *shared)
            _make_template(installation)
            yield installation


def _configure(folder: Path, sandbox: Sandbox, values: dict[str, float]) -> Settings:
    config = folder / "config"
    (config / "newsletters").mkdir(parents=True)
    name = f"newsletters/{SLUG}.toml"
    (config / name).write_text((shipped("config") / name).read_text())
    (config / "service.toml").write_text(SERVICE.format(lease=LEASE, sandbox=sandbox.url, **values))
    settings = load_settings(config)
    update = {
        "var": folder,
        "sendgrid_api_key": SecretStr("SG.torture"),
        "sendgrid_webhook_key": sandbox.public_key if sandbox.config.events else None,
    }
    return replace(settings, environment=settings.environment.model_copy(update=update))


def _make_template(installation: Installation) -> None:
    with psycopg.connect(installation.server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
    fill(installation, _url(installation.server, _TEMPLATE))


def fill(installation: Installation, url: str) -> None:
    """Put briefs and the list into a database."""
    path = installation.folder / "list.csv"
    path.write_text(
        "email,topics\n"
        + "\n".join(f"r{n}@example.com,{_choice(n)}" for n in range(installation.recipients))
    )
    with installation.container(url) as container:
        newsletter = container.settings.newsletter(SLUG)
        for topic in TOPICS:
            container.intake.receive(brief(topic))
        container.lists.import_list(
            path,
            SLUG,
            known_topics=newsletter.topic_slugs,
            default_zone="UTC",
            consent_source="torture",
            now=container.clock.now(),
        )
        (installation.folder / "day").write_text(
            str(day_of(newsletter.timetable, container.clock.now()))
        )


def _choice(number: int) -> str:
    """Return one of the seven topic sets, in turn."""
    mask = number % 7 + 1
    return ";".join(topic for bit, topic in enumerate(TOPICS) if mask >> bit & 1)


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _url(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)
