"""The web application: public pages, the goodbye of RFC 8058, and SendGrid's event webhook."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from newsletter.core.publication import Newsletter
from newsletter.errors import NewsletterError, NotFound
from newsletter.services.feedback import Feedback
from newsletter.services.publishing import Publishing
from newsletter.web import issues, subscriptions, webhook
from newsletter.web.pages import Pages
from subscribers.errors import InvalidLink
from subscribers.service import Subscriptions

#: The pages load nothing but themselves; a letter's own styles are inline.
_HEADERS = {
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
) -> FastAPI:
    """Return the application over these services."""
    app = FastAPI(title="newsletter", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(templates)
    app.include_router(webhook.routes(feedback))
    app.include_router(subscriptions.routes(newsletters, subscriptions_desk, now, pages))
    app.include_router(issues.routes(newsletters, publishing, pages))

    @app.middleware("http")
    async def add_headers(  # pyright: ignore[reportUnusedFunction]
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(InvalidLink)
    def no_such_link(  # pyright: ignore[reportUnusedFunction]
        _request: Request, _error: Exception
    ) -> HTMLResponse:
        return pages.show("invalid_link", status=404)

    @app.exception_handler(NewsletterError)
    def sorry(  # pyright: ignore[reportUnusedFunction]
        _request: Request, error: Exception
    ) -> HTMLResponse:
        return pages.show("not_found", status=404 if isinstance(error, NotFound) else 500)

    return app
