"""Public pages, from `templates/pages/`: plain HTML, no script, nothing loaded."""

from datetime import date
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

READ = ["GET", "HEAD"]  #: the methods of a page; link scanners often send HEAD first


class Pages:
    """Renders the page templates."""

    def __init__(self, templates: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(templates / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # checking the file would cost more than rendering most pages
        )
        self._environment.filters |= {"day": _day, "place": _place}

    def show(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page."""
        return HTMLResponse(self.text(name, **values), status_code=status)

    def text(self, name: str, **values: Any) -> str:
        """Return a template filled in."""
        return self._environment.get_template(f"{name}.html.j2").render(values)


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def _place(zone: str) -> str:
    """Return a time zone's name for readers, without its region."""
    return zone.partition("/")[2].replace("_", " ").replace("/", ", ")
