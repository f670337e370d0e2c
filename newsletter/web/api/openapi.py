"""The description of the API in OpenAPI 3.1: FastAPI's, with the problems that every call has."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from newsletter.web.api.access import declared
from newsletter.web.api.field_words import say_all
from newsletter.web.api.idempotency import PARAMETER
from newsletter.web.api.problems import MEDIA_TYPE
from newsletter.web.api.schemas import ProblemReport

_REFERENCE = "#/components/schemas/{model}"
_OF_ALL = (401, 403, 404, 422, 429, 500, 503)
_OF_BODIES = (400, 409, 413, 415)
_OF_EDITS = (412, 428)
#: Models that no route's signature names, since the route reads the body item by item.
ITEM_MODELS: list[type[BaseModel]] = []


def description_of(app: FastAPI) -> dict[str, Any]:
    """Return the description, made once."""
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, routes=app.routes)
        _, models = models_json_schema(
            [(model, "validation") for model in (ProblemReport, *ITEM_MODELS)],
            ref_template=_REFERENCE,
        )
        components = described.setdefault("components", {}).setdefault("schemas", {})
        components |= models["$defs"]
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        for method, operation in _operations(app, described):
            _describe(method, operation)
            if method == "PATCH":
                _drop_defaults(components, operation["requestBody"])
        say_all(described)
        app.openapi_schema = described
    return app.openapi_schema


def _operations(app: FastAPI, described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema and declared(route):
            for method in route.methods or ():
                yield method, described["paths"][route.path][method.lower()]


def _describe(method: str, operation: dict[str, Any]) -> None:
    """Add what is the same of every call; a status that the route describes itself stays."""
    statuses = (
        *_OF_ALL,
        *(_OF_BODIES if method != "GET" else ()),
        *(_OF_EDITS if _takes_if_match(operation) else ()),
    )
    responses = operation["responses"]
    responses.pop("422", None)
    for status in statuses:
        responses.setdefault(str(status), problem_response(status))
    if method == "POST":
        operation.setdefault("parameters", []).append(PARAMETER)


def _drop_defaults(components: dict[str, Any], within: Any) -> None:
    """Take the defaults out of what a patch may hold: what it leaves out stays as it is."""
    if isinstance(within, list):
        for one in cast("list[Any]", within):
            _drop_defaults(components, one)
    elif isinstance(within, dict):
        schema = cast("dict[str, Any]", within)
        schema.pop("default", None)
        if "$ref" in schema:
            _drop_defaults(components, components[schema["$ref"].rpartition("/")[2]])
        for one in schema.values():
            _drop_defaults(components, one)


def _takes_if_match(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "If-Match" for one in operation.get("parameters", ()))


def problem_response(status: int) -> dict[str, Any]:
    """Return how a problem of this status is described: for a route with one of its own."""
    schema = {"$ref": _REFERENCE.format(model=ProblemReport.__name__)}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
