"""The generated pages of the documentation, by file name."""

from typing import Any

from newsletter.cli.reference.commands import commands
from newsletter.cli.reference.markdown import page
from newsletter.cli.reference.settings import settings
from newsletter.cli.reference.web import metrics, paths


def pages(root: Any) -> dict[str, str]:
    """Return each generated page by its file name; `root` is the Typer application's command."""
    return {
        "commands.md": page("Commands", commands(root)),
        "settings.md": page("Settings", settings()),
        "http.md": page("HTTP paths", paths()),
        "metrics.md": page("Metrics", metrics()),
    }
