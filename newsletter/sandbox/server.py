"""The sandbox as a process: run in the foreground, or started and stopped by a test.

See docs/decisions/sandbox-on-http-server.md.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from newsletter.sandbox.config import CONFIG_JSON, SandboxConfig
from newsletter.sandbox.event_sender import EventSender, Signer
from newsletter.sandbox.faults import FaultRules
from newsletter.sandbox.routing import RequestContext
from newsletter.sandbox.store import Store
from newsletter.sandbox.transport import Server

_NOT_STARTED = "the sandbox did not start; its standard error says why"
_STOP_TIMEOUT = 5  # seconds, before the process is killed


def run(config: SandboxConfig, ready_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; write the URL to `ready_file` once it listens."""
    config.data.mkdir(parents=True, exist_ok=True)
    store, signer = Store(config.data), Signer.load(config.data)
    event_sender = EventSender(config, store, signer)
    faults = FaultRules(config.seed, config.bad_address)
    context = RequestContext(config, store, signer, faults, event_sender)
    if config.account:
        context.account.change(config.account.read_bytes())
    with Server(context) as server:
        _stop_on_signals(server)
        event_sender.start()
        if ready_file:
            ready_file.write_text(f"{server.url}\n", encoding="ascii")
        server.serve_forever(poll_interval=0.05)
    server.stopping.set()
    event_sender.stop()
    event_sender.join(timeout=0.5)  # a post under way is not awaited; it is repeated at the start


def _stop_on_signals(server: Server) -> None:
    def stop(_number: int, _frame: object) -> None:
        # Not from this thread: shutdown() waits for the loop that this handler interrupts.
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


class Sandbox:
    """A sandbox in a process of its own, for as long as the `with` block lasts."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "newsletter.sandbox", CONFIG_JSON.dump_json(self.config)]
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [*command, f"--ready-file=/dev/fd/{writing}"],
            pass_fds=(writing,),
            process_group=0,  # Ctrl-C goes to the parent process, which then stops it
        )
        os.close(writing)
        try:
            with os.fdopen(reading, encoding="ascii") as pipe:
                self.url = pipe.readline().strip()  # empty if the process ended
            if not self.url:
                raise RuntimeError(_NOT_STARTED)  # noqa: TRY301  # ends like an interruption
        except BaseException:  # an interrupted start leaves no process, either
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def public_key(self) -> str:
        """Return the key its events are signed with, as SendGrid shows it."""
        return self.call("GET", "/sandbox/public-key")["public_key"]

    def stats(self) -> dict[str, Any]:
        return self.call("GET", "/sandbox/stats")

    def messages(self, to: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """Return the accepted messages, newest first; with `to`, those to one address."""
        query = urllib.parse.urlencode({"to": to, "limit": limit})
        return self.call("GET", f"/sandbox/messages?{query}")["messages"]

    def message(self, number: int) -> dict[str, Any]:
        return self.call("GET", f"/sandbox/messages/{number}")

    def fail(self, *rules: Mapping[str, Any]) -> None:
        """Put these faults, and no others, in force."""
        self.call("PUT", "/sandbox/faults", rules)

    def set_account(self, **parts: Any) -> None:
        """Replace parts of what the account says of itself; without any, it is as at the start."""
        self.call("PUT", "/sandbox/account", parts)

    def flush(self) -> None:
        """Wait until all events have been posted; HTTPError (504) if that takes too long."""
        self.call("POST", "/sandbox/flush")

    def clear(self) -> None:
        self.call("DELETE", "/sandbox/messages")

    def stop(self) -> None:
        """Stop the process; what it stored stays on disk."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def call(
        self, method: str, path: str, value: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> Any:
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, body, method=method)  # noqa: S310  # loopback
        with _opener.open(request, timeout=60) as reply:
            text = reply.read()
        return json.loads(text) if text else None


# A proxy from the environment must not get requests to loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
