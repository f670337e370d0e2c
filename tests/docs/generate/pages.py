"""The generated pages of the documentation, by file name."""

from typing import Any

from tests.docs.generate.api import api
from tests.docs.generate.commands import commands
from tests.docs.generate.lists import list_formats
from tests.docs.generate.markdown import page
from tests.docs.generate.settings import settings
from tests.docs.generate.web import metrics, paths


def pages(root: Any) -> dict[str, str]:
    """Return each generated page by its file name; `root` is the Typer application's command."""
    return {
        "commands.md": page("Commands", commands(root)),
        "settings.md": page("Settings", settings()),
        "api.md": page("The JSON API", api()),
        "http.md": page("HTTP paths", paths()),
        "metrics.md": page("Metrics", metrics()),
        "list-formats.md": page("List formats", list_formats()),
    }
