"""The demo's own folder, sandbox and web server.

See docs/decisions/the-demo-has-its-own-folder.md.
"""

import shutil
import socket
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from pydantic import SecretStr

from newsletter.container import Container
from newsletter.core.link_check import LinkCheck, LinkState
from newsletter.core.publication import ApprovalPolicy
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import Settings
from newsletter.web.beside import server_of, serving_beside

#: The same in each run, when they are free.
_WEB_PORT, _SANDBOX_PORT, _CONSOLE_PORT = 8025, 8026, 8027


@dataclass(frozen=True)
class DemoEnvironment:
    """The parts that the demo runs on."""

    container: Container
    sandbox: Sandbox
    folder: Path


@contextmanager
def opened(settings: Settings, today: date) -> Generator[DemoEnvironment]:
    """Start the demo's parts, with an embedded database whatever the environment names."""
    folder = settings.environment.var / "demo"
    begin_day(folder, today)
    with _listening(_WEB_PORT) as listener, _listening(_CONSOLE_PORT) as console:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        config = SandboxConfig(
            data=folder / "sandbox",
            # Whoever has the one port may have the other: two demos at once do not race for it.
            port=_SANDBOX_PORT if port == _WEB_PORT and _is_free(_SANDBOX_PORT) else 0,
            webhook_url=f"{url}/webhooks/sendgrid",
        )
        with Sandbox(config) as sandbox:
            own = _own(settings, folder, url, sandbox, console.getsockname()[1])
            container = Container(own, check_link=_unasked)
            with (
                closing(container),
                serving_beside(server_of(container.app, trusted_proxies=()), listener),
                serving_beside(server_of(container.console_and_api, trusted_proxies=()), console),
            ):
                yield DemoEnvironment(container, sandbox, folder)


def _unasked(url: str, now: datetime) -> LinkCheck:
    """Return what is known of a link: nothing, since the demo asks nobody outside this machine."""
    reason = "the demo asks nobody outside this machine"
    return LinkCheck(url=url, state=LinkState.UNSURE, reason=reason, at=now)


def _listening(port: int) -> socket.socket:
    """Return a socket that listens: on the port that is kept from run to run, or on a free one."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def _is_free(port: int) -> bool:
    """Return whether nobody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def begin_day(folder: Path, today: date) -> None:
    """Delete an earlier day's demo: its stories would be held today as already printed."""
    marker = folder / "day.txt"
    if folder.exists() and (not marker.exists() or marker.read_text() != str(today)):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(str(today))


def _own(
    settings: Settings, folder: Path, url: str, sandbox: Sandbox, console_port: int
) -> Settings:
    environment = settings.environment.model_copy(
        update={
            "database_url": None,
            "var": folder,
            "public_url": url,
            "sendgrid_host": sandbox.url,
            "sendgrid_api_key": SecretStr("SG.demo"),
            "sendgrid_webhook_key": sandbox.public_key,
        }
    )
    here = {"console_host": "127.0.0.1", "console_port": console_port, "console_url": None}
    web = settings.service.web.model_copy(update=here)
    service = settings.service.model_copy(update={"web": web})
    return replace(settings, environment=environment, service=service)


def approved_automatically(settings: Settings) -> Settings:
    """Return the settings of a demo in which nobody is there to approve."""
    newsletters = {
        slug: replace(newsletter, approval=ApprovalPolicy.AUTOMATIC)
        for slug, newsletter in settings.newsletters.items()
    }
    return replace(settings, newsletters=newsletters)
