"""`newsletter check`, `serve`, `scheduler`, `worker` and `sandbox`: the processes."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Option

from newsletter.cli.common import AsJson, Slug, answer, console, container, newsletter_of
from newsletter.cli.ending import interrupt, limit_end
from newsletter.core.issue import sample_issue
from newsletter.core.newsletter_checks import obstacles
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.reconciliation import ReconciliationEvidence
from newsletter.core.sending_limits import capacity_between
from newsletter.core.timetable import hours_of
from newsletter.errors import ConfigurationError, NewsletterError

if TYPE_CHECKING:
    from newsletter.services.sending import Recovery

_log = logging.getLogger(__name__)

_WAVES = timedelta(hours=26)  #: between the same hour in the first and the last time zone
_PATIENCE = 5  #: seconds; a worker that had not begun when it was stopped is stopped again


@dataclass(frozen=True)
class Answered:
    """The result of one check."""

    question: str
    fine: bool
    sentence: str


def check(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Check whether letters can be sent."""
    answers = list(_answers(newsletter_of(newsletter)))

    def show_text() -> None:
        for one in answers:
            mark = "[green]✓[/]" if one.fine else "[red]✗[/]"
            console.print(f"{mark} {one.question:<10}{escape(one.sentence)}")
        if all(one.fine for one in answers):
            console.print("Letters can be sent.")

    answer(answers, as_json=as_json, show=show_text)
    if not all(one.fine for one in answers):
        raise typer.Exit(1)


def _answers(which: Newsletter) -> Iterator[Answered]:
    settings = container().settings
    yield Answered(
        "settings", True, f"{which.name}; newsletters: {', '.join(settings.newsletters)}"
    )
    yield _tried("database", _database)
    yield _tried("server", _connections)
    digests = [one for one in settings.newsletters.values() if one.week_of == which.slug]
    for one in (which, *digests):
        yield _tried("templates", partial(_templates, one))
    faults = list(
        obstacles(which, public_url=settings.public_url, sendgrid_host=settings.sendgrid_host)
    )
    for fault in faults:
        yield Answered("sender", False, fault)
    if not faults:
        yield Answered("sender", True, f"{which.sender.name} <{which.sender.email}>")
        yield Answered("address", True, which.postal_address)
    yield _tried("key", _key)
    for one in (which, *digests):
        yield from _paused(one)
    if settings.service.rate_limit.limits:
        yield _tried("limit", partial(_rate_limit, which))
    yield _tried("unknowns", _unknowns)
    yield _tried("alerts", _alerts)


def _tried(question: str, ask: Callable[[], str]) -> Answered:
    try:
        return Answered(question, True, ask())
    except (NewsletterError, ConfigurationError) as error:
        return Answered(question, False, str(error))


def _database() -> str:
    from newsletter.stores.database import shown  # a help page needs no database
    from newsletter.stores.server_checks import require_sessions

    url, environment = container().engine.url, container().settings.environment
    require_sessions(url)
    if environment.database_url is None:
        return f"the embedded PostgreSQL in {environment.var / 'postgres'}, up to date"
    return f"{shown(url)}, up to date"


def _templates(which: Newsletter) -> str:
    issue = sample_issue(which)
    container().renderer.set(which, issue)
    container().transactional_renderer.check_all(which)
    return f"{which.name}: a sample issue of {len(issue.entries)} briefs renders without errors"


def _connections() -> str:
    """Return whether the database's server lets `serve` have its connections."""
    from newsletter.stores.connections import SERVE, WORKER, connections_allowed

    allowed = connections_allowed(container().engine)
    need = f"`newsletter serve` needs up to {SERVE} connections, each further worker {WORKER}"
    if allowed < SERVE:
        raise ConfigurationError(f"{need}; PostgreSQL allows {allowed}: raise max_connections")
    return f"{need}; PostgreSQL allows {allowed}"


def _key() -> str:
    if obstacle := container().mailer.obstacle():
        raise ConfigurationError(obstacle)
    return f"{container().settings.sendgrid_host} accepts this key"


def _paused(which: Newsletter) -> Iterator[Answered]:
    try:
        for stored in container().issues.paused(which.slug):
            yield Answered("paused", False, f"the issue of {stored.issue.date} is {stored.pause}")
    except NewsletterError as error:
        yield Answered("paused", False, str(error))


def _rate_limit(which: Newsletter) -> str:
    """Return whether the list can be sent to in time; a warm-up may not allow it."""
    rate_limit, now = container().settings.service.rate_limit, container().clock.now()
    hours = hours_of(which.timetable, day_of(which.timetable, now))
    waves = _WAVES if which.timetable.reader_time else timedelta(0)
    capacity = capacity_between(rate_limit, hours.send, hours.stale + waves)
    readers = container().subscriptions.counts(which.slug).mailable
    if readers <= capacity:
        return f"{readers:,} readers can be sent to while an issue is fresh"
    text = (
        f"{int(capacity):,} of {readers:,} readers can be sent to while an issue is fresh, "
        f"{which.timetable.catch_up_hours} hours; the others get nothing"
    )
    if not rate_limit.warm_up:
        raise ConfigurationError(f"{text}: raise [rate_limit] or catch_up_hours")
    return f"{text}, because of the warm-up"


def _unknowns() -> str:
    container().check_webhook_key()
    means = container().reconciling.means()
    match means.evidence:
        case ReconciliationEvidence.EVENTS:
            return "unknown batches are reconciled by events: SENDGRID_WEBHOOK_KEY is set"
        case ReconciliationEvidence.LOGS:
            return "no events are received; unknown batches are reconciled by SendGrid's Email Logs"
        case ReconciliationEvidence.NONE:
            return f"unknown batches are resolved by hand: no events are received, {means.obstacle}"


def _alerts() -> str:
    if names := [channel.name for channel in container().alert_channels]:
        return f"{', '.join(names)}; `newsletter alerts test` sends a test"
    return "no channel: alerts go to the log only; name channels in NEWSLETTER_ALERTS"


def serve() -> None:
    """Run everything in one process: web, worker and scheduler."""
    import uvicorn  # no other command needs it

    from newsletter.scheduler import reconcile_by_events
    from newsletter.web.connections import ConnectionLimits, connections_within

    _open_process()
    web = container().settings.service.web
    http = connections_within(
        ConnectionLimits(web.header_seconds, web.body_seconds, web.connections)
    )
    with _listening(web.host, web.port) as listener:
        server = uvicorn.Server(uvicorn.Config(container().app, http=http, log_config=None))
        container().scheduler.start()
        reconcile_by_events(container().scheduler, container().reconciling)
        port = listener.getsockname()[1]
        console.print(f"serving on http://{web.host}:{port}; Ctrl-C stops it")

        def end() -> None:
            server.should_exit = True

        def stop(sig: int, frame: FrameType | None) -> None:
            limit_end()
            exit_in_order(sig, frame)

        exit_in_order, server.handle_exit = server.handle_exit, stop

        try:
            with _interruptible(), _working(on_end=end):
                server.run(sockets=[listener])
        finally:
            container().scheduler.shutdown()


def scheduler() -> None:
    """Run the scheduler only; if several run, one acts and the others stand by."""
    _open_process()
    container().scheduler.start()
    try:
        with _interruptible():
            console.print("scheduler running; Ctrl-C stops it")
            threading.Event().wait()
    finally:
        container().scheduler.shutdown()


def worker() -> None:
    """Send batches; run as many workers as you like, on any machine."""
    _open_process()
    ended = threading.Event()
    with _interruptible(), _working(on_end=ended.set):
        console.print("worker running; Ctrl-C stops it once its current batches are recorded")
        ended.wait()


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

    `on_end` is called when the work ends by itself, which only an error can cause.
    """
    recovery, sending, queue = container().recovery, container().sending, container().queue

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
def _listening(host: str, port: int) -> Generator[socket.socket]:
    """Yield a listening socket; ConfigurationError if the port is in use."""
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise _taken(host, port, error) from None
    with listener:
        yield listener


def _taken(host: str, port: int, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}")


def sandbox(
    port: Annotated[
        int, Option(metavar="PORT", min=0, max=65535, help="0 chooses a free one.")
    ] = 4010,
    data: Annotated[
        Path | None,
        Option(metavar="DIR", help="Where to store letters; in NEWSLETTER_VAR by default."),
    ] = None,
    webhook: Annotated[
        str | None, Option(metavar="URL", help="Where to post signed events.")
    ] = None,
) -> None:
    """Run the sandbox: a local SendGrid, with an inbox to look at."""
    from newsletter.sandbox.config import SandboxConfig
    from newsletter.sandbox.server import run
    from newsletter.settings import load_settings

    folder = data or load_settings().environment.var / "sandbox"
    config = SandboxConfig(data=folder, port=port, webhook_url=webhook)
    reading, writing = os.pipe()  # the sandbox writes its URL there once it is ready
    threading.Thread(target=_announce, args=(reading,), daemon=True).start()
    try:
        run(config, Path(f"/dev/fd/{writing}"))
    except OSError as error:
        raise _taken(config.host, port, error) from None
    finally:
        os.close(writing)


def _announce(reading: int) -> None:
    with os.fdopen(reading, encoding="ascii") as pipe:
        url = pipe.readline().strip()
    if url:
        console.print(f"sandbox on {url}, inbox on {url}/inbox; Ctrl-C stops it")
        console.print(f"to send to it: NEWSLETTER_SENDGRID_HOST={url} SENDGRID_API_KEY=SG.sandbox")
