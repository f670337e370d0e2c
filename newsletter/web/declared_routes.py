"""Routes that declare who may use them: an application serves no other."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

Declaration = TypeVar("Declaration")
KindOfRoute = TypeVar("KindOfRoute", bound=APIRoute)


def anyone() -> None:
    """Mark a route that anyone may use."""


ANYONE = Depends(anyone)


def declared_as(kind: type[Declaration], route: APIRoute) -> Declaration | None:
    """Return the dependency that says who may, None for anyone's; LookupError without one."""
    calls: Iterable[Any] = [one.call for one in route.dependant.dependencies]
    for call in calls:
        if isinstance(call, kind):
            return call
        if call is anyone:
            return None
    raise LookupError(f"{route.path} does not declare who may use it")


def routes_as(kind: type[KindOfRoute], app: FastAPI) -> Iterator[KindOfRoute]:
    """Yield every route (`app.routes` has the included routers in place of theirs).

    LookupError for one of another kind, which is served without being asked what it declares.
    """
    for found in iter_route_contexts(app.routes):
        route: Any = found.original_route
        if not isinstance(route, kind):
            raise LookupError(  # noqa: TRY004  # as `declared_as` does
                f"{found.path} is no route that could declare who may use it"
            )
        yield route
