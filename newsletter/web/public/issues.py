"""The public view of issues: the archive, and any edition in a browser."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.publication import Newsletter
from newsletter.services.public_pages import PublicIssue
from newsletter.web.dependencies import NamedNewsletter, Services, WebServices
from newsletter.web.headers import PUBLIC, showing
from newsletter.web.pages import READ

EditionKey = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/", methods=READ)
def home(services: Services) -> HTMLResponse:
    """Show the newsletters."""
    newsletters = list(services.newsletters.values())
    page = services.pages.show("home", newsletters=newsletters, public_url=services.public_url)
    return _public(page)


@router.api_route("/{slug}", methods=READ)
def archive(newsletter: NamedNewsletter, services: Services) -> HTMLResponse:
    """Show a newsletter's past issues."""
    published = services.publishing.issues.published(newsletter.slug)
    page = services.pages.show(
        "archive",
        newsletter=newsletter,
        main=services.newsletters[newsletter.readers.newsletter],  # a digest is another one's
        issues=published,
        public_url=services.public_url,
    )
    return _public(page)


@router.api_route("/{slug}/", methods=READ)
def archive_with_slash(newsletter: NamedNewsletter) -> RedirectResponse:
    """Lead to the archive; its own slug, so that nobody is led elsewhere."""
    return RedirectResponse(f"/{newsletter.slug}", status_code=308)


@router.api_route("/{slug}/{on}", methods=READ)
def whole_issue(newsletter: NamedNewsletter, on: date, services: Services) -> HTMLResponse:
    """Show the issue of a date, for the web."""
    found = services.public_pages.issue(newsletter, on)
    return _public(_page(found, _canonical(services, newsletter, on)))


@router.api_route("/{slug}/{on}/{key}", methods=READ)
def edition(
    newsletter: NamedNewsletter, on: date, key: EditionKey, services: Services
) -> HTMLResponse:
    """Show one edition of an issue: a part of the whole, which is what search engines list."""
    found = services.public_pages.issue(newsletter, on, key)
    return _page(found, _canonical(services, newsletter, on))


def _page(found: PublicIssue, headers: Mapping[str, str]) -> HTMLResponse:
    return HTMLResponse(found.letter.html, headers={**showing(found.pictures), **headers})


def _public(page: HTMLResponse) -> HTMLResponse:
    page.headers.update(PUBLIC)
    return page


def _canonical(services: WebServices, newsletter: Newsletter, on: date) -> dict[str, str]:
    return {"Link": f'<{services.public_url}/{newsletter.slug}/{on}>; rel="canonical"'}
