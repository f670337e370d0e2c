"""The public view of issues: the archive, and any edition in a browser."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from newsletter.web.dependencies import NamedNewsletter, Services
from newsletter.web.pages import READ

EditionKey = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/", methods=READ)
def home(services: Services) -> HTMLResponse:
    """Show the newsletters."""
    return services.pages.show("home", newsletters=services.newsletters.values())


@router.api_route("/{slug}", methods=READ)
def archive(newsletter: NamedNewsletter, services: Services) -> HTMLResponse:
    """Show a newsletter's past issues."""
    published = services.publishing.issues.published(newsletter.slug)
    return services.pages.show("archive", newsletter=newsletter, issues=published)


@router.api_route("/{slug}/{on}", methods=READ)
def whole_issue(newsletter: NamedNewsletter, on: date, services: Services) -> HTMLResponse:
    """Show the issue of a date, for the web."""
    return HTMLResponse(services.publishing.public_view(newsletter, on).html)


@router.api_route("/{slug}/{on}/{key}", methods=READ)
def edition(
    newsletter: NamedNewsletter, on: date, key: EditionKey, services: Services
) -> HTMLResponse:
    """Show one edition of an issue."""
    return HTMLResponse(services.publishing.public_view(newsletter, on, key).html)
