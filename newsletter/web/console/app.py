"""The console's application: the routes of every page, and what surrounds them."""

from collections.abc import Iterator

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from newsletter.errors import (
    ConfigurationError,
    ConfirmationNeeded,
    InvalidBrief,
    NotAllowed,
    NotFound,
    ReasonNeeded,
)
from newsletter.web.body_limit import BodyLimit
from newsletter.web.console import (
    account,
    acts,
    alerts,
    briefs,
    checks,
    edits,
    faults,
    going_live,
    issue,
    leaving,
    letter,
    log,
    more,
    own_credentials,
    people,
    provider,
    readers,
    results,
    sign_in,
    sources,
    staff,
    staff_letter,
    static,
    today,
    tokens,
    webhooks,
)
from newsletter.web.console.access import (
    NotPermitted,
    SignedInVisit,
    SignInNeeded,
    declared,
)
from newsletter.web.console.dependencies import ConsoleServices
from newsletter.web.console.policy import HEADERS
from newsletter.web.console.same_origin import SameOrigin
from newsletter.web.declared_routes import routes_as
from newsletter.web.headers import SecurityHeaders
from newsletter.web.read_only_gets import ReadOnlyGets
from newsletter.web.routes import routes_in
from subscribers.errors import InvalidChoice, NoSuchSubscriber, NoSuchSubscription

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    sign_in.router,
    provider.router,
    today.router,
    issue.router,
    letter.router,
    acts.router,
    edits.router,
    checks.router,
    people.router,
    leaving.router,
    results.router,
    alerts.router,
    staff_letter.router,
    briefs.router,
    readers.router,
    sources.router,
    log.router,
    account.router,
    own_credentials.router,
    staff.router,
    going_live.router,
    webhooks.router,
    tokens.router,
    more.router,
)


def create_console(services: ConsoleServices) -> FastAPI:
    """Return the application over these services; LookupError if a route declares no permission."""
    app = FastAPI(
        title="console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # behind a proxy, to another address than the browser knows
    )
    app.state.services = services
    app.add_api_route("/", _home, methods=["GET"])
    app.router.routes.extend(routes_in(ROUTERS))
    for route in routes_of(app):
        declared(route)
    for middleware in (ReadOnlyGets, BodyLimit):
        app.add_middleware(middleware)
    app.add_middleware(SameOrigin, url=services.url)
    app.add_middleware(SecurityHeaders, values=HEADERS)
    app.add_exception_handler(SignInNeeded, faults.sign_in_needed)
    app.add_exception_handler(ConfirmationNeeded, faults.confirmation_needed)
    app.add_exception_handler(NotPermitted, faults.not_permitted)
    # No calendar has the days around its last one.
    nowhere = (NotFound, NoSuchSubscriber, NoSuchSubscription, OverflowError)
    for error in (*nowhere, *services.unreadable):
        app.add_exception_handler(error, faults.not_found)
    app.add_exception_handler(RequestValidationError, faults.invalid)
    app.add_exception_handler(ReasonNeeded, faults.reason_needed)
    for error in services.unanswered:
        app.add_exception_handler(error, faults.busy)
    for error in (NotAllowed, InvalidBrief, InvalidChoice, ConfigurationError):
        app.add_exception_handler(error, faults.not_allowed)
    app.add_exception_handler(HTTPException, faults.refused)
    app.add_exception_handler(Exception, faults.failed)
    return app


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Yield every route; LookupError for one that could not declare who may use it."""
    return routes_as(APIRoute, app)


def _home(visit: SignedInVisit) -> Response:
    """Lead to the first newsletter that the person may see."""
    return RedirectResponse(visit.services.home_of(visit.member), status_code=303)
