"""`newsletter serve`, `worker`, `sandbox`, `check`: the processes, and whether they may start."""

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
from typing import Annotated

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, Slug, answer, console, house, newsletter_of
from newsletter.core.issue import sample_issue
from newsletter.core.publication import Newsletter
from newsletter.core.reconciliation import ReconciliationEvidence
from newsletter.core.send_checks import obstacles
from newsletter.core.sending_limits import room_within
from newsletter.core.timetable import hours_of
from newsletter.errors import ConfigurationError, NewsletterError
from newsletter.services.publishing import day_of

_WAVES = timedelta(hours=26)  #: from the first zone's hour to the last one's
_PATIENCE = 5  #: seconds after which a worker that had not begun when it was stopped is told again


@dataclass(frozen=True)
class Answered:
    """One question of `newsletter check`, and its answer."""

    question: str
    fine: bool
    sentence: str


def check(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Say in plain sentences whether letters can be sent."""
    answers = list(_answers(newsletter_of(newsletter)))

    def say() -> None:
        for one in answers:
            mark = "[green]✓[/]" if one.fine else "[red]✗[/]"
            console.print(f"{mark} {one.question:<10}{escape(one.sentence)}")
        if all(one.fine for one in answers):
            console.print("Letters can be sent.")

    answer(answers, as_json=as_json, say=say)
    if not all(one.fine for one in answers):
        raise typer.Exit(1)


def _answers(which: Newsletter) -> Iterator[Answered]:
    settings = house().settings
    yield Answered(
        "settings", True, f"{which.name}; newsletters: {', '.join(settings.newsletters)}"
    )
    yield _tried("database", _database)
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
    if settings.service.pace.limits:
        yield _tried("pace", partial(_pace, which))
    yield _tried("unknowns", _unknowns)
    yield _tried("alerts", _alerts)


def _tried(question: str, ask: Callable[[], str]) -> Answered:
    try:
        return Answered(question, True, ask())
    except (NewsletterError, ConfigurationError) as error:
        return Answered(question, False, str(error))


def _database() -> str:
    from newsletter.stores.database import shown  # noqa: PLC0415  # a help page needs no database

    url, environment = house().engine.url, house().settings.environment
    if environment.database_url is None:
        return f"the embedded PostgreSQL in {environment.var / 'postgres'}, up to date"
    return f"{shown(url)}, up to date"


def _templates(which: Newsletter) -> str:
    issue = sample_issue(which)
    house().renderer.set(which, issue)
    house().note_press.try_all(which)
    return f"{which.name}: a sample issue of {len(issue.entries)} briefs sets well"


def _key() -> str:
    if obstacle := house().mailer.obstacle():
        raise ConfigurationError(obstacle)
    return f"{house().settings.sendgrid_host} takes mail with it"


def _pace(which: Newsletter) -> str:
    """Say whether the list can be written to while an issue is fresh; a warm-up may well not."""
    pace, now = house().settings.service.pace, house().clock.now()
    hours = hours_of(which.timetable, day_of(which, now))
    waves = _WAVES if which.timetable.reader_time else timedelta(0)
    room = room_within(pace, hours.send, hours.stale + waves)
    readers = house().subscriptions.counts(which.slug).mailable
    if readers <= room:
        return f"{readers:,} readers can be written to while an issue is fresh"
    told = (
        f"{int(room):,} of {readers:,} readers can be written to while an issue is fresh, "
        f"{which.timetable.catch_up_hours} hours; the rest is left out"
    )
    if not pace.warm_up:
        raise ConfigurationError(f"{told}: raise [pace] or catch_up_hours")
    return f"{told}, for the sake of the warm-up"


def _unknowns() -> str:
    means = house().settling.means()
    match means.evidence:
        case ReconciliationEvidence.EVENTS:
            return "a lost answer is settled by events: SENDGRID_WEBHOOK_KEY is set"
        case ReconciliationEvidence.LOGS:
            return "no event is heard; a lost answer is settled by SendGrid's Email Logs"
        case ReconciliationEvidence.NONE:
            return f"a lost answer is settled by hand only: no event is heard, {means.obstacle}"


def _alerts() -> str:
    if names := [channel.name for channel in house().channels]:
        return f"{', '.join(names)}; `newsletter alerts test` sends a trial"
    return "no channel: the log alone tells operators; NEWSLETTER_ALERTS names others"


def serve() -> None:
    """Run everything in one process: web, worker and clock."""
    import uvicorn  # noqa: PLC0415  # no other verb needs it

    from newsletter.scheduler import hear_silence  # noqa: PLC0415

    house().open_log()
    web = house().settings.service.web
    with _listening(web.host, web.port) as listener:
        server = uvicorn.Server(uvicorn.Config(house().app, log_config=None))
        house().scheduler.start()
        hear_silence(house().scheduler, house().settling)
        port = listener.getsockname()[1]
        console.print(f"serving on http://{web.host}:{port}; Ctrl-C ends it")

        def end() -> None:
            server.should_exit = True

        try:
            with _interruptible(), _working(on_end=end):
                server.run(sockets=[listener])
        finally:
            house().scheduler.shutdown()


def scheduler() -> None:
    """Keep the clock alone; of several, one acts and the others stand by."""
    house().open_log()
    house().scheduler.start()
    try:
        with _interruptible():
            console.print("keeping the clock; Ctrl-C ends it")
            threading.Event().wait()
    finally:
        house().scheduler.shutdown()


def worker() -> None:
    """Send batches; as many workers as you like, on any machine."""
    house().open_log()
    ended = threading.Event()
    with _interruptible(), _working(on_end=ended.set):
        console.print("working on batches; Ctrl-C ends it once those in hand are recorded")
        ended.wait()


@contextmanager
def _interruptible() -> Generator[None]:
    """End in order on SIGINT and SIGTERM alike: for a service both are the way to end.

    An embedded PostgreSQL that dies meanwhile is started again.
    """
    from newsletter.adapters.embedded import supervised  # noqa: PLC0415  # a help page needs none

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with supervised(house().embedded):
            yield
    except KeyboardInterrupt:
        console.print()


@contextmanager
def _working(*, on_end: Callable[[], None]) -> Generator[None]:
    """Work on batches meanwhile; at the end let those in hand be recorded.

    `on_end` is called when the work ends by itself, which only an error makes it do.
    """
    dispatch, queue = house().dispatch, house().queue

    def work() -> None:
        dispatch.recover()
        queue.work(until_empty=False)

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


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    """Yield a listening socket; ConfigurationError if somebody else has the port."""
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
        int, typer.Option(metavar="PORT", min=0, max=65535, help="0 takes any free one.")
    ] = 4010,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where letters are kept; in NEWSLETTER_VAR by default."),
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to post signed events.")
    ] = None,
) -> None:
    """Run the stand-in: a local SendGrid, with an inbox to look at."""
    from newsletter.sandbox.config import SandboxConfig  # noqa: PLC0415
    from newsletter.sandbox.server import run  # noqa: PLC0415
    from newsletter.settings import load_settings  # noqa: PLC0415

    folder = data or load_settings().environment.var / "sandbox"
    config = SandboxConfig(data=folder, port=port, webhook_url=webhook)
    reading, writing = os.pipe()  # the stand-in writes its URL there once it can be asked
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
        console.print(f"stand-in on {url}, inbox on {url}/inbox; Ctrl-C ends it")
        console.print(f"to send to it: NEWSLETTER_SENDGRID_HOST={url} SENDGRID_API_KEY=SG.sandbox")
