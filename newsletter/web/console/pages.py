"""Renders the console's templates: whole pages, and the one block of them that htmx asks for."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block
from markupsafe import Markup, escape

from newsletter.web.console.devices import device_name
from newsletter.web.console.words import Words

COUNTED = "count"  #: the parameter with which a page asks for itself, whole: see `counting`


class ConsolePages:
    """The templates in `templates/console/`, with the words in its `words.toml`."""

    def __init__(self, templates: Path, *, practice: bool) -> None:
        folder = templates / "console"
        self.words = Words(folder / "words.toml")
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        everywhere: dict[str, Any] = self._environment.globals
        everywhere.update(w=self.words, practice=practice)
        self._environment.filters.update(FILTERS)
        # A fragment is rendered without the top of its template, and so without its imports.
        macros = self._environment.get_template("macros.html.j2").module
        everywhere.update({name: one for name, one in vars(macros).items() if callable(one)})

    def show(
        self, request: Request, name: str, *, status: int = 200, block: str = "", **values: Any
    ) -> HTMLResponse:
        """Return a page, or only its `block` where htmx asks for a fragment."""
        values = {"visit": None, "base": "", **values, "path": request.url.path}
        if head := values.get("head"):
            values["base"] = f"/{head.slug}/issues/{head.on}"
        whole = not block or COUNTED in request.query_params
        if "hx-request" in request.headers and not whole:
            text = render_block(self._environment, f"{name}.html.j2", block, **values)
        else:
            text = self._environment.get_template(f"{name}.html.j2").render(values)
        return HTMLResponse(text, status_code=status, headers={"Vary": "HX-Request"})


def _number(value: float) -> str:
    return f"{value:,}"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _day(on: date) -> str:
    """Return a date as "Friday, 27 November 2026"."""
    return f"{on:%A}, {on.day} {on:%B %Y}"


def short_day(on: date) -> str:
    return f"{on.day} {on:%B}"


def clock(at: datetime, zone: str) -> str:
    """Return the time of day in a zone, as "06:10"."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def _moment(at: datetime, zone: str) -> str:
    """Return a moment in a zone, as "27 November, 06:10:07"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B, %H:%M:%S}"


def _until(at: datetime, zone: str) -> str:
    """Return a moment that may be a year away, as "25 February 2027, 06:10"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y, %H:%M}"


def place(zone: str) -> str:
    """Return a time zone's name without its region, as "New York"."""
    return zone.rpartition("/")[2].replace("_", " ")


def _mark(digest: str) -> str:
    """Return the first half of a hash's beginning, as people compare it: "7f3a 91c0"."""
    return f"{digest[:4]} {digest[4:8]}"


def _kilobytes(size: int) -> str:
    return f"{size / 1024:.1f} KB"


def commands(text: str) -> Markup:
    """Return a sentence with what stands in backticks set as what one types."""
    parts = text.split("`")
    return Markup("").join(
        Markup('<span class="mono">{}</span>').format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


FILTERS: Mapping[str, Any] = {
    "number": _number,
    "percent": _percent,
    "day": _day,
    "short_day": short_day,
    "clock": clock,
    "moment": _moment,
    "until": _until,
    "place": place,
    "mark": _mark,
    "kilobytes": _kilobytes,
    "device": device_name,
    "commands": commands,
}
