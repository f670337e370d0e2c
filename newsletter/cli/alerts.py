"""`newsletter alerts`: the channels through which operators are told."""

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, answer, console, house
from newsletter.errors import ConfigurationError
from newsletter.services.alerting import trial

app = typer.Typer(no_args_is_help=True, help="Try the channels that tell operators.")


@app.command("test")
def send_trial(as_json: AsJson = False) -> None:
    """Send a trial alert through every channel, and say which ones took it."""
    if not house().channels:
        raise ConfigurationError("there is no channel: NEWSLETTER_ALERTS names none")
    reasons = trial(house().channels)

    def say() -> None:
        for name, reason in reasons.items():
            told = f"[red]✗[/] {name}: {escape(reason)}" if reason else f"[green]✓[/] {name}"
            console.print(told)

    data = [{"channel": name, "failed": reason} for name, reason in reasons.items()]
    answer(data, as_json=as_json, say=say)
    if any(reasons.values()):
        raise typer.Exit(1)
