"""The web application: public pages, one-click unsubscribe (RFC 8058), SendGrid's webhooks."""

from anyio import CapacityLimiter
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from newsletter.errors import NotFound
from newsletter.web import health, inbound, webhook
from newsletter.web.body_limit import BodyLimit
from newsletter.web.dependencies import WebServices, services_of
from newsletter.web.headers import SecurityHeaders, add_security_headers
from newsletter.web.public import (
    issues,
    preferences,
    signup,
    signup_json,
    still_wanted,
    unsubscribe,
)
from subscribers.errors import InvalidLink, NoSuchSubscriber, NoSuchSubscription

#: In the order in which they are tried: a sign-up's paths look like those of an issue.
ROUTERS = (
    health.router,
    webhook.router,
    inbound.router,
    unsubscribe.router,
    still_wanted.router,
    preferences.router,
    signup_json.router,
    signup.router,
    issues.router,
)


def create_app(services: WebServices) -> FastAPI:
    """Return the application over these services."""
    app = FastAPI(
        title="newsletter",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # one-click unsubscribe must not be redirected (RFC 8058, 3.1)
    )
    app.state.services = services
    app.state.one_click_limiter = CapacityLimiter(unsubscribe.ONE_CLICK_THREADS)
    app.add_route(unsubscribe.ONE_CLICK, unsubscribe.one_click, methods=["POST"])
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(RequestValidationError, _not_found)  # such as /technology/not-a-date
    # The latter two: a person was erased while they used their link.
    for error in (InvalidLink, NoSuchSubscriber, NoSuchSubscription):
        app.add_exception_handler(error, _invalid_link)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)
    return app


def _not_found(request: Request, _error: Exception) -> Response:
    return services_of(request).pages.show("not_found", status=404)


def _invalid_link(request: Request, _error: Exception) -> Response:
    return services_of(request).pages.show("invalid_link", status=404)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    page = services_of(request).pages.show("not_found", status=error.status_code)
    page.headers.update(error.headers or {})
    return page


def _gone(_request: Request, _error: Exception) -> Response:
    """Return what nobody reads: the client left before its request was whole."""
    return Response(status_code=400)


def _failed(request: Request, _error: Exception) -> Response:
    """Return the page for an unexpected error, which Starlette raises again to be logged."""
    page = services_of(request).pages.show("failed", status=500)
    add_security_headers(page.headers)  # this answer is sent from outside the middleware
    return page
