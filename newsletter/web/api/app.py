"""The API's application: the routes of every resource, and what surrounds them."""

import logging
from collections.abc import Iterator

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.adapters.clock import new_id
from newsletter.web.api import (
    approving,
    brief_edits,
    briefs,
    events,
    issues,
    newsletters,
    previewing,
    readers,
    reading,
    results,
    webhooks,
)
from newsletter.web.api.access import declared
from newsletter.web.api.dependencies import ApiServices
from newsletter.web.api.openapi import description_of
from newsletter.web.api.problems import ApiProblem, answer_of, described, problem_of
from newsletter.web.api.route import ApiRoute, api_router
from newsletter.web.api.streams import AT_ONCE, StreamPlaces
from newsletter.web.declared_routes import ANYONE, routes_as
from newsletter.web.headers import SecurityHeaders, add_security_headers
from newsletter.web.read_only_gets import ReadOnlyGets
from newsletter.web.routes import routes_in

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_log = logging.getLogger(__name__)

about = api_router()

ROUTERS: tuple[APIRouter, ...] = (
    about,
    newsletters.router,
    briefs.router,
    brief_edits.router,
    issues.router,
    approving.router,
    previewing.router,
    results.router,
    readers.router,
    events.router,
    reading.router,
    webhooks.router,
)


@about.get("/openapi.json", dependencies=[ANYONE], include_in_schema=False)
def description(request: Request) -> JSONResponse:
    """Return the description of the API in OpenAPI 3.1."""
    return JSONResponse(request.app.openapi())


@about.get("/problems", dependencies=[ANYONE], include_in_schema=False)
def problems() -> Response:
    """Describe every kind of problem; the `type` of each leads here."""
    return described()


def create_api(services: ApiServices) -> FastAPI:
    """Return the application over these services; LookupError if a route declares no scope."""
    app = FastAPI(
        title="Newsletter API",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.stream_places = StreamPlaces(AT_ONCE)
    app.router.routes.extend(routes_in(ROUTERS))
    for route in routes_of(app):
        declared(route)
    app.openapi = lambda: description_of(app)
    app.add_middleware(ReadOnlyGets)
    app.add_middleware(SecurityHeaders, values=HEADERS)
    app.add_middleware(RequestNumbers)
    for error in (HTTPException, RequestValidationError):
        app.add_exception_handler(error, _refused)
    app.add_exception_handler(Exception, _failed)
    return app


def routes_of(app: FastAPI) -> Iterator[ApiRoute]:
    """Yield every route; LookupError for one that would not check the token first."""
    return routes_as(ApiRoute, app)


class RequestNumbers:
    """Middleware that gives every request a number, which answer and log name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = scope.setdefault("state", {})["request_id"] = new_id()

        async def send_numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = number
            await send(message)

        await self._app(scope, receive, send_numbered)


def _refused(request: Request, error: Exception) -> Response:
    """Answer what no route was asked for: a path, a method."""
    problem = problem_of(error, request)
    assert problem is not None  # of the framework's errors
    if "Allow" in problem.headers:  # the framework says it of the first route of this path only
        problem.headers["Allow"] = ", ".join(_methods(request))
    return answer_of(request, problem)


def _methods(request: Request) -> list[str]:
    """Return the methods of every route that has the path of a request."""
    routes = routes_of(request.app)
    here = (one for one in routes if one.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for one in here for method in one.methods or ()})


def _failed(request: Request, error: Exception) -> Response:
    """Return the problem for an unexpected error, with the number that the log has, too."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = new_id()
    number = request.state.request_id
    _log.error("the API failed: %s", number, exc_info=error)
    answer = answer_of(request, ApiProblem("failed"))
    add_security_headers(answer.headers, HEADERS)
    answer.headers["X-Request-Id"] = number
    return answer
