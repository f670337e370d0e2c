"""The web application: public pages, the goodbye of RFC 8058, and SendGrid's event webhook."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.services.feedback import Feedback
from newsletter.services.publishing import Publishing
from newsletter.web import health, issues, subscriptions, webhook
from newsletter.web.health import Health
from newsletter.web.pages import Pages
from subscribers.errors import InvalidLink
from subscribers.service import Subscriptions

#: The pages load nothing but themselves; a letter's own styles are inline.
_HEADERS = {
    "Cache-Control": "no-store",  # some pages are one reader's own
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # a link's token is nobody else's business
    "X-Content-Type-Options": "nosniff",
}


def create_app(
    *,
    newsletters: Mapping[str, Newsletter],
    publishing: Publishing,
    subscriptions_desk: Subscriptions,
    feedback: Feedback,
    now: Callable[[], datetime],
    templates: Path,
    health_room: Health | None = None,
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
    app.include_router(health.routes(health_room))
    app.include_router(webhook.routes(feedback))
    app.include_router(subscriptions.routes(newsletters, subscriptions_desk, now, pages))
    app.include_router(issues.routes(newsletters, publishing, pages))
    app.middleware("http")(_with_headers)
    _answer_errors(app, pages)
    return app


async def _with_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    return _guarded(await call_next(request))


def _guarded(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


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
        return _guarded(pages.show("failed", status=500))

    app.add_exception_handler(NotFound, nothing_here)
    app.add_exception_handler(
        RequestValidationError, nothing_here
    )  # an address such as /x/not-a-day
    app.add_exception_handler(InvalidLink, no_such_link)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, failed)
