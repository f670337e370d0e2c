"""The command line's front door: its help page, and one clear sentence for every error."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from newsletter import __version__
from newsletter.cli import briefs, issue, subscribers
from newsletter.cli.demo import demo
from newsletter.cli.service import check, sandbox, serve, worker
from newsletter.cli.why import why
from newsletter.errors import ConfigurationError, NewsletterError, RenderingFailed
from subscribers.errors import SubscribersError

_HELP = """
Each day's verified briefs, as a digest, once to everyone who asked.

A day in five verbs: [bold]briefs add[/] the day's files, [bold]issue assemble[/],
[bold]issue preview[/], [bold]issue send --wait[/], and [bold]why[/] for whoever asks.
See it all at once, with nothing set up: [bold]newsletter demo[/].
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
app.add_typer(issue.app, name="issue", rich_help_panel=_DAY)
app.add_typer(subscribers.app, name="subscribers", rich_help_panel=_DAY)
app.command(rich_help_panel=_DAY)(why)
app.command(rich_help_panel=_RUN)(serve)
app.command(rich_help_panel=_RUN)(worker)
app.command(rich_help_panel=_RUN)(sandbox)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),
) -> None:
    del version


def main() -> None:
    """Run the command line; wrong input exits with 2, work that failed with 1."""
    try:
        app()
    except (NewsletterError, SubscribersError, ConfigurationError) as error:
        Console(stderr=True, highlight=False).print(f"[red]error:[/] {escape(str(error))}")
        sys.exit(1 if isinstance(error, RenderingFailed) else 2)
