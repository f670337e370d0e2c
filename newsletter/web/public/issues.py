"""The public view of issues: the archive, and any edition in a browser."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.services.publishing import Publishing
from newsletter.web.public.pages import READ, Pages

EditionKey = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


def routes(
    newsletters: Mapping[str, Newsletter], publishing: Publishing, pages: Pages
) -> APIRouter:
    """Return the routes of the public view."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.api_route("/", methods=READ)
    def front() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return pages.show("front", newsletters=newsletters.values())

    @router.api_route("/{slug}", methods=READ)
    def archive(slug: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        newsletter = _newsletter(newsletters, slug)
        published = publishing.published(newsletter)
        return pages.show("archive", newsletter=newsletter, issues=published)

    @router.api_route("/{slug}/{on}", methods=READ)
    def whole(slug: str, on: date) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return HTMLResponse(publishing.public_view(_newsletter(newsletters, slug), on).html)

    @router.api_route("/{slug}/{on}/{key}", methods=READ)
    def edition(  # pyright: ignore[reportUnusedFunction]
        slug: str, on: date, key: EditionKey
    ) -> HTMLResponse:
        return HTMLResponse(publishing.public_view(_newsletter(newsletters, slug), on, key).html)

    return router


def _newsletter(newsletters: Mapping[str, Newsletter], slug: str) -> Newsletter:
    if slug not in newsletters:
        raise NotFound("there is no such newsletter")
    return newsletters[slug]
