"""The web application: public pages, the goodbye of RFC 8058, and SendGrid's event webhook."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.services.event_intake import EventIntake
from newsletter.services.publishing import Publishing
from newsletter.web import health, inbound, webhook
from newsletter.web.body_limit import BodyLimit
from newsletter.web.headers import GuardedHeaders, guard
from newsletter.web.health import Health
from newsletter.web.inbound import Inbound
from newsletter.web.public import issues, preferences, still_wanted, unsubscribe
from newsletter.web.public.links import LinkOpener
from newsletter.web.public.pages import Pages
from newsletter.web.public.preferences import Movers, People
from newsletter.web.public.signup_context import SignUpContext
from subscribers.errors import InvalidLink, NoSuchSubscriber, NoSuchSubscription
from subscribers.subscriptions.service import Subscriptions
from subscribers.sunset.service import Sunsets


def create_app(
    *,
    newsletters: Mapping[str, Newsletter],
    publishing: Publishing,
    subscriptions_desk: Subscriptions,
    feedback: EventIntake,
    now: Callable[[], datetime],
    templates: Path,
    health_room: Health | None = None,
    inbound_room: Inbound | None = None,
    people: People | None = None,
    movers: Movers | None = None,
    sunsets: Sunsets | None = None,
    signup_room: SignUpContext | None = None,
) -> FastAPI:
    """Return the application over these services."""
    app = FastAPI(
        title="newsletter",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a one-click goodbye must not be redirected (RFC 8058, 3.1)
    )
    pages = Pages(templates)
    door = LinkOpener(newsletters, subscriptions_desk, now)
    app.add_route(unsubscribe.ONE_CLICK, unsubscribe.one_click(door, pages), methods=["POST"])
    app.include_router(health.routes(health_room))
    app.include_router(webhook.routes(feedback))
    if inbound_room is not None:
        app.include_router(inbound.routes(inbound_room))
    app.include_router(unsubscribe.routes(door, pages))
    if sunsets is not None:
        app.include_router(still_wanted.routes(door, sunsets, pages))
    app.include_router(preferences.routes(door, pages, people=people, movers=movers))
    if signup_room is not None:  # its paths have the shape of an issue's
        for router in signup_room.routers(now, pages):
            app.include_router(router)
    app.include_router(issues.routes(newsletters, publishing, pages))
    app.add_middleware(BodyLimit)
    app.add_middleware(GuardedHeaders)
    _answer_errors(app, pages)
    return app


def _answer_errors(app: FastAPI, pages: Pages) -> None:
    """Give every error a page; what is not expected is also raised on, so that it is logged."""

    def nothing_here(_request: Request, _error: Exception) -> Response:
        return pages.show("not_found", status=404)

    def no_such_link(_request: Request, _error: Exception) -> Response:
        return pages.show("invalid_link", status=404)

    def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        shown = pages.show("not_found", status=error.status_code)
        shown.headers.update(error.headers or {})
        return shown

    def failed(_request: Request, _error: Exception) -> Response:
        shown = pages.show("failed", status=500)
        guard(shown.headers)  # it is sent from outside of the middleware
        return shown

    app.add_exception_handler(NotFound, nothing_here)
    app.add_exception_handler(
        RequestValidationError, nothing_here
    )  # an address such as /x/not-a-day
    # The latter two: somebody was erased while they used their link.
    for gone in (InvalidLink, NoSuchSubscriber, NoSuchSubscription):
        app.add_exception_handler(gone, no_such_link)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, failed)
