"""Where counting readers takes long: a small page first, which loads the counted one.

A route that needs a forecast asks `counting_first`. The page it returns asks for itself again, with
`?count=1`; without a script that is a link. See docs/decisions/a-forecast-writes-nothing.md.
"""

from datetime import date

from fastapi import Request
from fastapi.responses import HTMLResponse

from newsletter.web.console.access import Visit
from newsletter.web.console.pages import COUNTED


def counting_first(request: Request, visit: Visit, on: date | None = None) -> HTMLResponse | None:
    """Return the page to begin with; None where the page itself is at hand, or wanted whatever.

    `on` names the issue that the page is about, if it is: of a planned one nobody is counted.
    """
    if COUNTED in request.query_params or "hx-request" in request.headers:
        return None
    services = visit.services
    if services.forecasts.is_ready(visit.here) or (on and not _is_forecast(visit, on)):
        return None
    counted = request.url.include_query_params(**{COUNTED: "1"})
    where = f"{counted.path}?{counted.query}"
    return services.pages.show(request, "counting", visit=visit, where=where)


def _is_forecast(visit: Visit, on: date) -> bool:
    stored = visit.services.archive.issue(visit.here, on)
    return stored.planned_at is None if stored else on == visit.today
