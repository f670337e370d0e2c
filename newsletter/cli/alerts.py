"""`newsletter alerts`: the channels through which operators are text."""

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, answer, console, container
from newsletter.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True, help="Test the channels that alert operators.")


@app.command("test")
def send_trial(as_json: AsJson = False) -> None:
    """Send a test alert through every channel, and show which ones accepted it."""
    if not container().alert_channels:
        raise ConfigurationError("there is no alert channel: NEWSLETTER_ALERTS names none")
    from newsletter.services.alerting import trial  # a help page needs no database

    reasons = trial(container().alert_channels)

    def show_text() -> None:
        for name, reason in reasons.items():
            text = f"[red]✗[/] {name}: {escape(reason)}" if reason else f"[green]✓[/] {name}"
            console.print(text)

    data = [{"channel": name, "failed": reason} for name, reason in reasons.items()]
    answer(data, as_json=as_json, show=show_text)
    if any(reasons.values()):
        raise typer.Exit(1)
