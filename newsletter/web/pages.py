"""Public pages, from `templates/pages/`: plain HTML, no script, nothing loaded."""

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

READ = ["GET", "HEAD"]  #: how a page is asked for; link scanners like to begin with HEAD


class Pages:
    """The page templates."""

    def __init__(self, templates: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(templates / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page."""
        template = self._environment.get_template(f"{name}.html.j2")
        return HTMLResponse(template.render(values), status_code=status)
