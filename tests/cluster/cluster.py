"""Four machines: PostgreSQL; pages, webhook and clock; a worker; a worker and a standby clock."""

import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import Settings, load_settings, shipped
from tests.cluster.database import served
from tests.cluster.network import Machine, bring_up
from tests.cluster.provider import Forwarder
from tests.torture.installation import SERVICE, SLUG, Installation, fill

_PORT = 8000
LEASE = 6  #: seconds
_QUIET = 6  #: seconds without events after which a batch without any was never accepted


@dataclass(frozen=True)
class Cluster(Installation):
    """An installation whose parts live on machines of their own."""

    database: Machine = None  # type: ignore[assignment]  # a dataclass after one with defaults
    first: Machine = None  # type: ignore[assignment]  # the same
    second: Machine = None  # type: ignore[assignment]  # the same
    third: Machine = None  # type: ignore[assignment]  # the same

    def is_served(self) -> bool:
        """Return whether the first machine's pages answer."""
        try:
            with urllib.request.urlopen(f"http://{self.first.address}:{_PORT}/healthz", timeout=2):
                return True
        except OSError:
            return False

    def environ(self, url: str) -> dict[str, str]:
        """Return what a process of the service reads from its environment."""
        sendgrid = {"NEWSLETTER_SENDGRID_HOST": self.settings.environment.sendgrid_host or ""}
        return super().environ(url) | sendgrid


@contextmanager
def opened(*, recipients: int, batch_size: int) -> Iterator[Cluster]:
    """Make the machines and what belongs to them, in the network of this process."""
    bring_up()
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory(prefix="newsletter-cluster-")))
        names = ("database", "first", "second", "third")
        machines = {name: enter(Machine(name, n)) for n, name in enumerate(names, 1)}
        webhook = f"http://{machines['first'].address}:{_PORT}/webhooks/sendgrid"
        config = SandboxConfig(data=folder / "sandbox", webhook_url=webhook, duplicates=0.05)
        sandbox = enter(Sandbox(config))
        outside = enter(Forwarder(sandbox.url))
        settings = _settings(folder, sandbox, outside.url, batch_size)
        url = enter(served(machines["database"], folder / "postgres"))
        cluster = Cluster(folder, url, sandbox, settings, recipients, _QUIET, **machines)
        fill(cluster, url)
        yield cluster


def _settings(folder: Path, sandbox: Sandbox, outside: str, batch_size: int) -> Settings:
    config = folder / "config"
    (config / "newsletters").mkdir(parents=True)
    name = f"newsletters/{SLUG}.toml"
    # A sender of example.com is refused by everything but this machine's own stand-in.
    newsletter = (shipped("config") / name).read_text().replace("news.example.com", "cluster.test")
    newsletter = newsletter.replace("1 Example Street, Example City", "1 Cable Street, London")
    (config / name).write_text(newsletter)
    values = {"lease": LEASE, "batch_size": batch_size, "quiet": _QUIET / 60}
    service = SERVICE.format(sandbox=outside, port=_PORT, **values)
    service = service.replace(f"http://127.0.0.1:{_PORT}", "https://news.cluster.test")
    service = service.replace('host = "127.0.0.1"', 'host = "0.0.0.0"')
    service = service.replace("timeout_seconds = 1.5", f"timeout_seconds = {LEASE - 2}")
    (config / "service.toml").write_text(service)
    settings = load_settings(config)
    update = {
        "var": folder,
        "sendgrid_api_key": SecretStr("SG.cluster"),
        "sendgrid_webhook_key": sandbox.public_key,
    }
    return replace(settings, environment=settings.environment.model_copy(update=update))
