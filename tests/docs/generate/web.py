"""Renders the reference of the HTTP paths, from FastAPI, and of the metrics."""

from collections.abc import Callable, Iterable, Iterator

from fastapi import APIRouter
from fastapi.routing import APIRoute

from newsletter.adapters.metrics import metric_families
from newsletter.web.api.access import declared as required
from newsletter.web.api.app import ROUTERS as API
from newsletter.web.app import ROUTERS
from newsletter.web.console.access import declared
from newsletter.web.console.app import ROUTERS as CONSOLE
from newsletter.web.public.one_click import ONE_CLICK, one_click
from tests.docs.generate.markdown import first_line, table


def paths() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "A GET never changes anything. `{token}` is a signed link of one subscription."
    yield ""
    routes = sorted(_routes(), key=lambda route: (route[1], route[0]))
    rows = ((method, f"`{path}`", said) for method, path, said in routes)
    yield from table(("Method", "Path", "What it does"), rows)
    yield from _console()
    yield from _api()


def _routes() -> Iterator[tuple[str, str, str]]:
    yield "POST", ONE_CLICK, first_line(one_click)
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, APIRoute):
            yield _methods(route), route.path, first_line(route.endpoint)


def _console() -> Iterator[str]:
    yield "## The console"
    yield ""
    yield "An application of its own, at `console_url`. *Recently* asks for a sign-in or a"
    yield "confirmation of the last 15 minutes. `/` leads to the first newsletter that one may see."
    yield ""
    yield from _permitted(CONSOLE, "Who", _needs)


def _api() -> Iterator[str]:
    yield "## The JSON API"
    yield ""
    yield "On the console's origin, and described in full at `/api/v1/openapi.json`. A token has"
    yield "scopes; see [The JSON API](../how-to/api.md)."
    yield ""
    yield from _permitted(API, "Scope", scope_of)


def _permitted(
    routers: Iterable[APIRouter], whose: str, needs: Callable[[APIRoute], str]
) -> Iterator[str]:
    """Yield a table of routes that declare who may use them, by their paths."""
    routes = [one for each in routers for one in each.routes if isinstance(one, APIRoute)]
    routes.sort(key=lambda one: (one.path, _methods(one)))
    rows = (
        (_methods(one), f"`{one.path}`", needs(one), first_line(one.endpoint)) for one in routes
    )
    yield from table(("Method", "Path", whose, "What it does"), rows)


def scope_of(route: APIRoute) -> str:
    """Return the scope that a route of the API declares."""
    needs = required(route)
    if needs is None:
        return "no token"
    every = (needs.scope, *sorted(needs.others)) if needs.scope else ()
    return " or ".join(f"`{one.value}`" for one in every) or "any"


def _methods(route: APIRoute) -> str:
    return ", ".join(sorted((route.methods or set[str]()) - {"HEAD"}))


def _needs(route: APIRoute) -> str:
    """Return the permission that a route of the console declares, in words."""
    needs = declared(route)
    if needs is None:
        return "anyone"
    who = needs.permission.value if needs.permission else "whoever is signed in"
    return f"{who}, recently" if needs.fresh else who


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
