"""The web application: public pages, one-click unsubscribe (RFC 8058), SendGrid's webhooks."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from newsletter.errors import NotFound
from newsletter.web import error_pages, health, inbound, webhook
from newsletter.web.body_limit import BodyLimit
from newsletter.web.dependencies import WebServices
from newsletter.web.error_pages import error_answer
from newsletter.web.headers import SecurityHeaders, add_security_headers
from newsletter.web.public import (
    crawlers,
    feeds,
    issues,
    lost_links,
    one_click,
    preferences,
    signup,
    signup_json,
    still_wanted,
    stories,
    unsubscribe,
)
from newsletter.web.routes import routes_in
from subscribers.errors import (
    InvalidLink,
    NoSuchSubscriber,
    NoSuchSubscription,
    TooManyRequests,
)

_RETRY_SECONDS = "5"  #: until a reader may try again what the database was too busy for

_log = logging.getLogger(__name__)

#: In the order in which they are tried: a sign-up's paths look like those of an issue.
ROUTERS = (
    health.router,
    webhook.router,
    inbound.router,
    unsubscribe.router,
    still_wanted.router,
    lost_links.router,
    preferences.router,
    signup_json.router,
    signup.router,
    crawlers.router,
    feeds.router,
    stories.router,
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
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.unsubscribe_limiter = CapacityLimiter(services.threads["unsubscribe"])
    app.state.one_clicks = one_click.one_clicks_of(services)
    app.state.webhook_limiter = CapacityLimiter(services.threads["webhook"])
    app.add_route(one_click.ONE_CLICK, one_click.one_click, methods=["POST"])
    app.router.routes.extend(routes_in(ROUTERS))
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(NotFound, error_pages.not_found)
    app.add_exception_handler(RequestValidationError, error_pages.invalid)
    app.add_exception_handler(TooManyRequests, error_pages.too_many)
    # The latter two: a person was erased while they used their link.
    for error in (InvalidLink, NoSuchSubscriber, NoSuchSubscription):
        app.add_exception_handler(error, error_pages.invalid_link)
    for error in services.unanswered:
        app.add_exception_handler(error, _busy)
    app.add_exception_handler(HTTPException, error_pages.refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Let pages have as many threads as connections: the others wait, and take no processor."""
    threads = app.state.services.threads["pages"]
    to_thread.current_default_thread_limiter().total_tokens = threads
    yield


def _busy(request: Request, error: Exception) -> Response:
    """Return the page for a database that did not answer in time."""
    reason = type(error.__cause__ or error).__name__
    _log.warning("the database did not answer in time: %s", reason, extra={"action": "web.busy"})
    page = error_answer(request, 503)
    page.headers["Retry-After"] = _RETRY_SECONDS
    return page


def _gone(_request: Request, _error: Exception) -> Response:
    """Return what nobody reads: the client left before its request was whole."""
    return Response(status_code=400)


def _failed(request: Request, _error: Exception) -> Response:
    """Return the page for an unexpected error, which Starlette raises again to be logged."""
    page = error_answer(request, 500)
    add_security_headers(page.headers)  # this answer is sent from outside the middleware
    return page
