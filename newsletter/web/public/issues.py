"""The public view of issues: the archive, and any edition in a browser."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.publication import Newsletter
from newsletter.web.conditional import conditional
from newsletter.web.dependencies import NamedNewsletter, Services, WebServices
from newsletter.web.headers import PUBLIC, showing
from newsletter.web.pages import READ

EditionKey = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/", methods=READ)
def home(request: Request, services: Services) -> Response:
    """Show the newsletters."""
    newsletters = list(services.newsletters.values())
    page = services.pages.text("home", newsletters=newsletters, public_url=services.public_url)
    return _page(request, page, _LISTED)


@router.api_route("/{slug}", methods=READ)
def archive(newsletter: NamedNewsletter, request: Request, services: Services) -> Response:
    """Show a newsletter's past issues."""
    published = services.publishing.issues.published(newsletter.slug)
    page = services.pages.text(
        "archive",
        newsletter=newsletter,
        main=services.newsletters[newsletter.readers.newsletter],  # a digest is another one's
        issues=published,
        public_url=services.public_url,
    )
    return _page(request, page, _LISTED)


@router.api_route("/{slug}/", methods=READ)
def archive_with_slash(newsletter: NamedNewsletter) -> RedirectResponse:
    """Lead to the archive; its own slug, so that nobody is led elsewhere."""
    return RedirectResponse(f"/{newsletter.slug}", status_code=308)


@router.api_route("/{slug}/{on}", methods=READ)
def whole_issue(
    newsletter: NamedNewsletter, on: date, request: Request, services: Services
) -> Response:
    """Show the issue of a date, for the web."""
    found = services.public_pages.issue(newsletter, on)
    headers = {**showing(found.pictures), **_canonical(services, newsletter, on), **_LISTED}
    return _page(request, found.letter.html, headers)


@router.api_route("/{slug}/{on}/{key}", methods=READ)
def edition(
    newsletter: NamedNewsletter, on: date, key: EditionKey, request: Request, services: Services
) -> Response:
    """Show one edition of an issue: a part of the whole, which is what search engines list."""
    found = services.public_pages.issue(newsletter, on, key)
    headers = {**showing(found.pictures), **_canonical(services, newsletter, on)}
    return _page(request, found.letter.html, headers)


_LISTED = {"X-Robots-Tag": PUBLIC["X-Robots-Tag"]}


def _page(request: Request, html: str, headers: Mapping[str, str]) -> Response:
    """Return a page, or that the client has it; when it changed last depends on too much."""
    return conditional(request, html.encode(), "text/html; charset=utf-8", None, headers)


def _canonical(services: WebServices, newsletter: Newsletter, on: date) -> dict[str, str]:
    return {"Link": f'<{services.public_url}/{newsletter.slug}/{on}>; rel="canonical"'}
