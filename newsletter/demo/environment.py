"""The demo's own folder, sandbox and web server.

See docs/decisions/the-demo-has-its-own-folder.md.
"""

import shutil
import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from newsletter.container import Container
from newsletter.core.publication import ApprovalPolicy
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import Settings

_WEB_PORT, _SANDBOX_PORT = 8025, 8026  #: the same in each run, when they are free


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
    with _listening() as listener:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        config = SandboxConfig(
            data=folder / "sandbox",
            # Whoever has the one port may have the other: two demos at once do not race for it.
            port=_SANDBOX_PORT if port == _WEB_PORT and _is_free(_SANDBOX_PORT) else 0,
            webhook_url=f"{url}/webhooks/sendgrid",
        )
        with Sandbox(config) as sandbox:
            container = Container(_own(settings, folder, url, sandbox))
            with closing(container), _web(container, listener):
                yield DemoEnvironment(container, sandbox, folder)


def _listening() -> socket.socket:
    """Return a socket that listens: on the port that is kept from run to run, or on a free one."""
    try:
        return socket.create_server(("127.0.0.1", _WEB_PORT))
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


def _own(settings: Settings, folder: Path, url: str, sandbox: Sandbox) -> Settings:
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
    newsletters = {  # nobody is there to approve
        slug: replace(newsletter, approval=ApprovalPolicy.AUTOMATIC)
        for slug, newsletter in settings.newsletters.items()
    }
    return replace(settings, environment=environment, newsletters=newsletters)


@contextmanager
def _web(container: Container, listener: socket.socket) -> Generator[None]:
    server = uvicorn.Server(uvicorn.Config(container.app, log_level="error"))
    serving = threading.Thread(target=server.run, args=([listener],), daemon=True)
    serving.start()
    try:
        yield
    finally:
        server.should_exit = True
        serving.join(timeout=10)
