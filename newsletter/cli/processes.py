"""`newsletter serve`, `scheduler` and `worker`: the processes that run for good."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from newsletter.cli.common import console, container
from newsletter.cli.ending import interrupt, limit_end, wait_for_end
from newsletter.errors import ConfigurationError

if TYPE_CHECKING:
    from newsletter.services.sending import Recovery
    from newsletter.web.connections import LimitedConnection

_log = logging.getLogger(__name__)

_PATIENCE = 5  #: seconds; a worker that had not begun when it was stopped is stopped again


def serve(
    api_only: Annotated[
        bool,
        Option("--api-only", metavar="", help="Only the JSON API, where the console would be."),
    ] = False,
) -> None:
    """Run everything in one process: web, console, worker and scheduler."""
    if api_only:
        _serve_api()
    else:
        _serve_everything()


def _serve_api() -> None:
    from newsletter.web.beside import server_of

    _open_process()
    web = container().settings.service.web
    with listening(web.console_host, web.console_port) as listener:
        server = server_of(
            container().api, http=_connections(), trusted_proxies=web.trusted_proxies
        )
        console.print(f"serving the API on {_url_of(listener)}/api/v1; Ctrl-C stops it")
        with _interruptible():
            server.run(sockets=[listener])


def _serve_everything() -> None:
    from newsletter.scheduler import reconcile_by_events
    from newsletter.web.beside import server_of, serving_beside

    _open_process()
    web = container().settings.service.web
    shared: Any = {"http": _connections(), "trusted_proxies": web.trusted_proxies}
    with ExitStack() as parts:
        listener = parts.enter_context(listening(web.host, web.port))
        beside = parts.enter_context(listening(web.console_host, web.console_port))
        server = server_of(container().app, **shared)
        parts.enter_context(
            serving_beside(server_of(container().console_and_api, **shared), beside)
        )
        container().scheduler.start()
        parts.callback(container().scheduler.shutdown)
        reconcile_by_events(container().scheduler, container().reconciling)
        where = container().settings.console_url
        if not web.console_port:
            where = f"http://localhost:{beside.getsockname()[1]}"
        console.print(f"serving on {_url_of(listener)}, the console on {where}; Ctrl-C stops it")

        def end() -> None:
            server.should_exit = True

        def stop(sig: int, frame: FrameType | None) -> None:
            limit_end()
            exit_in_order(sig, frame)

        exit_in_order, server.handle_exit = server.handle_exit, stop
        with _interruptible(), _working(on_end=end):
            server.run(sockets=[listener])


def _connections() -> "type[LimitedConnection]":
    from newsletter.web.connections import ConnectionLimits, connections_within

    web = container().settings.service.web
    return connections_within(
        ConnectionLimits(web.header_seconds, web.body_seconds, web.connections)
    )


def scheduler() -> None:
    """Run the scheduler only; if several run, one acts and the others stand by."""
    _open_process()
    container().scheduler.start()
    try:
        with _interruptible():
            console.print("scheduler running; Ctrl-C stops it")
            wait_for_end(threading.Event())
    finally:
        container().scheduler.shutdown()


def worker() -> None:
    """Send batches; run as many workers as you like, on any machine."""
    _open_process()
    ended = threading.Event()
    with ExitStack() as parts:
        parts.enter_context(_interruptible())
        container().give_way()  # whoever starts a dead server again does not
        parts.enter_context(_working(on_end=ended.set))
        console.print("worker running; Ctrl-C stops it once its current batches are recorded")
        wait_for_end(ended)


def _open_process() -> None:
    """Open what every process needs; DatabaseMismatch where its locks would be lost."""
    from newsletter.stores.server_checks import require_sessions

    container().open_log()
    require_sessions(container().engine.url)


@contextmanager
def _interruptible() -> Generator[None]:
    """Stop in order on SIGINT and SIGTERM alike, or without it if something hangs.

    An embedded PostgreSQL that dies meanwhile is started again.
    """
    from newsletter.adapters.embedded import supervised  # a help page needs none

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    try:
        with supervised(container().embedded):
            yield
    except KeyboardInterrupt:
        console.print()


@contextmanager
def _working(*, on_end: Callable[[], None]) -> Generator[None]:
    """Send batches meanwhile; at the end, wait until the current ones are recorded.

    `on_end` is called when the work ends by itself, which only an error can cause. Called last:
    what is open by then stays.
    """
    from newsletter.adapters.memory import spare_what_stays

    recovery, sending, queue = container().recovery, container().sending, container().queue
    spare_what_stays()

    def work() -> None:
        _begin(recovery)
        sending.queue.work(until_empty=False)

    with ThreadPoolExecutor(max_workers=1) as pool:
        working = pool.submit(work)
        working.add_done_callback(lambda _: on_end())
        try:
            yield
        finally:
            queue.stop()
            while not wait([working], timeout=_PATIENCE).done:
                queue.stop()
        working.result()


def _begin(recovery: "Recovery") -> None:
    """Recover before the work; where the database goes away just then, the scheduler will."""
    from newsletter.stores.healthcheck import UNANSWERED  # a help page needs no database

    try:
        recovery.recover()
    except UNANSWERED as error:
        _log.warning("the database went away; recovered later: %s", type(error).__name__)


@contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """Yield a listening socket; ConfigurationError if the port is in use.

    At `::` it listens to both kinds of addresses.
    """
    wide = ":" in host
    family = socket.AF_INET6 if wide else socket.AF_INET
    both = wide and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise taken(host, port, error) from None
    with listener:
        yield listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def taken(host: str, port: int, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}")
