"""The command line's front door: its help page, and one clear sentence for every error."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from newsletter import __version__
from newsletter.cli import (
    alerts,
    batches,
    briefs,
    health,
    issue,
    people,
    segments,
    signup,
    sources,
    subscribers,
    sunset,
    suppressions,
)
from newsletter.cli.backup import backup, restore
from newsletter.cli.common import leave
from newsletter.cli.demo import demo
from newsletter.cli.service import check, sandbox, scheduler, serve, worker
from newsletter.cli.why import why
from newsletter.errors import ConfigurationError, NewsletterError, RenderingFailed
from subscribers.errors import SubscribersError

_HELP = """
Each day's verified briefs, as a digest, once to everyone who asked.

See it all at once, with nothing set up:  [bold]newsletter demo[/]

A day in five verbs:
  [bold]briefs add[/] FOLDER            receive briefs; the gate rules on each
  [bold]issue assemble[/]               choose, order and set the accepted ones
  [bold]issue preview[/] --topics A,B   see a letter just as it will be sent
  [bold]issue send[/] --wait            plan, send, and watch until all is answered
  [bold]why[/] EMAIL                    what became of one person's letter

Exit codes: 0 done, 1 the work failed, 2 wrong input or settings.
"""

app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_DAY, _START, _RUN = "The day", "Start here", "Run it"
app.command(rich_help_panel=_START)(demo)
app.command(rich_help_panel=_START)(check)
app.add_typer(briefs.app, name="briefs", rich_help_panel=_DAY)
app.add_typer(sources.app, name="sources", rich_help_panel=_DAY)
subscribers.app.add_typer(people.app)
subscribers.app.add_typer(health.app)
subscribers.app.add_typer(sunset.app)
app.add_typer(subscribers.app, name="subscribers", rich_help_panel=_DAY)
app.add_typer(segments.app, name="segments", rich_help_panel=_DAY)
app.add_typer(signup.app, name="signup", rich_help_panel=_DAY)
app.add_typer(suppressions.app, name="suppressions", rich_help_panel=_DAY)
app.add_typer(issue.app, name="issue", rich_help_panel=_DAY)
app.add_typer(batches.app, name="batches", rich_help_panel=_DAY)
app.command(rich_help_panel=_DAY)(why)
app.add_typer(alerts.app, name="alerts", rich_help_panel=_RUN)
app.command(rich_help_panel=_RUN)(serve)
app.command(rich_help_panel=_RUN)(scheduler)
app.command(rich_help_panel=_RUN)(worker)
app.command(rich_help_panel=_RUN)(backup)
app.command(rich_help_panel=_RUN)(restore)
app.command(rich_help_panel=_RUN)(sandbox)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool,
        typer.Option("--version", metavar="", callback=_version, help="Say which version this is."),
    ] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the work failed, 2 wrong input, 130 interrupted."""
    try:
        code = app(arguments, standalone_mode=False)
    except Exception as error:
        if sys.flags.dev_mode:  # `python -X dev -m newsletter` shows where it came from
            raise
        sentence, code = _told(error)
        if sentence:
            console = Console(stderr=True, highlight=False, soft_wrap=True)
            console.print(f"[red]error:[/] {escape(sentence)}")
    finally:
        leave()
    sys.exit(code)


def _told(error: Exception) -> tuple[str, int]:
    """Return one sentence, none where a help page was shown instead, and the exit code."""
    match error:
        case RenderingFailed():
            return str(error), 1
        case NewsletterError() | SubscribersError() | ConfigurationError():
            return str(error), 2
        case typer.TyperException():
            return _usage(error), 2
        case OSError(filename=str(name), strerror=str(reason)):
            return f"{name}: {reason}", 2
        case _:
            first = str(error).partition("\n")[0]
            return f"unexpected {type(error).__name__}: {first}", 1


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    said = error.format_message().replace("Value error, ", "").rstrip(".")
    return f"{said} (see {context.command_path} --help)" if said and context else said
