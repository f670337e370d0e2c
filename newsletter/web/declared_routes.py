"""Routes that declare who may use them: an application serves no other."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

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
    """Yield every route; LookupError for one of another kind, which would not be asked."""
    for found in app.routes:
        if not isinstance(found, kind):
            raise LookupError(  # noqa: TRY004  # as `declared_as` does
                f"{getattr(found, 'path', found)} is no route that could declare who may use it"
            )
        yield found
