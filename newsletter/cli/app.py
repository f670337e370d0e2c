"""The command line: its help page, and one clear sentence for every error."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from newsletter import __version__
from newsletter.cli.commands import COMMANDS
from newsletter.cli.common import close_container, print_error
from newsletter.cli.lazy import LOOK, group_of
from newsletter.cli.streams import never_break_off
from newsletter.errors import ConfigurationError, NewsletterError, RenderingFailed
from subscribers.errors import SubscribersError

_HELP = """
Send each day's verified briefs as a digest to everyone who subscribed, once.

To see everything at once, without any set-up:  [bold]newsletter demo[/]

A day in five commands:
  [bold]briefs add[/] FOLDER            receive briefs and check each of them
  [bold]issue assemble[/]               choose, order and set the accepted briefs
  [bold]issue preview[/] --topics A,B   see a letter exactly as it will be sent
  [bold]issue send[/] --wait            plan, send, and wait for the result
  [bold]why[/] EMAIL                    find out what happened to one person's letter

Exit codes: 0 success, 1 failure, 2 wrong input or settings.
"""

app = typer.Typer(cls=group_of(COMMANDS), help=_HELP, **LOOK)


def _version(wanted: bool) -> None:
    if wanted:
        from newsletter.stores.database import newest_version  # a help page needs no database

        print(f"newsletter {__version__}, on tables of version {newest_version()}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_version,
            help="Show the version, and that of its tables.",
        ),
    ] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 success, 1 failure, 2 wrong input, 130 interrupted."""
    never_break_off()
    try:
        code = app(arguments, standalone_mode=False)
    except Exception as error:
        if sys.flags.dev_mode:  # `python -X dev -m newsletter` shows the traceback
            raise
        sentence, code = _sentence(error)
        if sentence:
            print_error(sentence)
    finally:
        close_container()
    sys.exit(code)


def _sentence(error: Exception) -> tuple[str, int]:
    """Return the message, empty if a help page was shown instead, and the exit code."""
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
