"""`newsletter serve`, `worker`, `sandbox`, `check`: the processes, and whether they may start."""

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from newsletter.cli.desk import AsJson, Slug, answer, console, house, newsletter_of
from newsletter.core.readiness import obstacles
from newsletter.errors import ConfigurationError, NewsletterError
from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.server import run as run_sandbox
from newsletter.settings import load_settings


@dataclass(frozen=True)
class Answered:
    """One question of `newsletter check`, and its answer."""

    question: str
    fine: bool
    sentence: str


def check(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Say in plain sentences whether everything is there to send a letter."""
    answers = list(_answers(newsletter))

    def say() -> None:
        for one in answers:
            mark = "[green]✓[/]" if one.fine else "[red]✗[/]"
            console.print(f"{mark} {one.question}: {one.sentence}")

    answer(answers, as_json=as_json, say=say)
    if not all(one.fine for one in answers):
        raise typer.Exit(1)


def _answers(slug: str | None) -> Iterator[Answered]:
    settings = house().settings
    which = newsletter_of(slug)
    yield Answered("settings", True, f"newsletters: {', '.join(settings.newsletters)}")
    yield _tried("database", lambda: house().engine.url.render_as_string(hide_password=True))
    yield _tried("templates", lambda: house().publishing.check_templates(which))
    faults = list(
        obstacles(which, public_url=settings.public_url, sendgrid_host=settings.sendgrid_host)
    )
    yield Answered("sender and address", not faults, " ".join(faults) or which.sender.email)
    yield _tried("key", _key)


def _tried(question: str, ask: Callable[[], str]) -> Answered:
    try:
        return Answered(question, True, ask())
    except (NewsletterError, ConfigurationError) as error:
        return Answered(question, False, str(error))


def _key() -> str:
    if obstacle := house().mailer.obstacle():
        raise ConfigurationError(obstacle)
    return f"{house().settings.sendgrid_host} takes mail from it"


def serve() -> None:
    """Run everything in one process: web, worker and clock."""
    house().scheduler.start()
    working = threading.Thread(target=_work)
    working.start()
    web = house().settings.service.web
    console.print(f"serving on http://{web.host}:{web.port}; Ctrl-C ends it")
    config = uvicorn.Config(house().app, host=web.host, port=web.port, log_level="warning")
    try:
        uvicorn.Server(config).run()
    finally:
        house().scheduler.shutdown()
        house().queue.stop()
        working.join()
        house().close()


def worker() -> None:
    """Send batches, here or on any other machine that reaches the database."""

    def stop(_number: int, _frame: object) -> None:
        house().queue.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    console.print("working on batches; Ctrl-C ends it once those in hand are recorded")
    _work()


def _work() -> None:
    house().dispatch.recover()
    house().queue.work(until_empty=False)


def sandbox(
    port: Annotated[int, typer.Option(help="0 takes any free one.")] = 4010,
    data: Annotated[
        Path | None, typer.Option(help="Where letters are kept; in NEWSLETTER_VAR by default.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to post signed events.")
    ] = None,
) -> None:
    """Run the stand-in: a local SendGrid with an inbox page to look at letters."""
    folder = data or load_settings().environment.var / "sandbox"
    config = SandboxConfig(data=folder, port=port, webhook_url=webhook)
    console.print(f"inbox on http://{config.host}:{port}/inbox; Ctrl-C ends it")
    run_sandbox(config)
