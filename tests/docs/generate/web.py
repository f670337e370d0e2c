"""Renders the reference of the HTTP paths, from FastAPI, and of the metrics."""

from collections.abc import Iterator

from fastapi.routing import APIRoute

from newsletter.adapters.metrics import metric_families
from newsletter.web.app import ROUTERS
from newsletter.web.public.unsubscribe import ONE_CLICK, one_click
from tests.docs.generate.markdown import first_line, table


def paths() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "A GET never changes anything. `{token}` is a signed link of one subscription."
    yield ""
    routes = sorted(_routes(), key=lambda route: (route[1], route[0]))
    rows = ((method, f"`{path}`", said) for method, path, said in routes)
    yield from table(("Method", "Path", "What it does"), rows)


def _routes() -> Iterator[tuple[str, str, str]]:
    yield "POST", ONE_CLICK, first_line(one_click)
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, APIRoute):
            methods = ", ".join(sorted((route.methods or set[str]()) - {"HEAD"}))
            yield methods, route.path, first_line(route.endpoint)


def metrics() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "`/metrics` answers in Prometheus' text format. Figures about issues are of each"
    yield "newsletter's newest issue. The usual `process_*` figures are there too."
    yield ""
    yield from table(
        ("Name", "Type", "Labels", "What it says"),
        (
            (f"`{one.name}`", one.kind, ", ".join(one.labels), one.help_text)
            for one in metric_families()
        ),
    )
