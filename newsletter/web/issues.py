"""The public view of issues: the archive, and any edition in a browser."""

from collections.abc import Mapping
from datetime import date

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.services.publishing import Publishing
from newsletter.web.pages import Pages


def routes(
    newsletters: Mapping[str, Newsletter], publishing: Publishing, pages: Pages
) -> APIRouter:
    """Return the routes of the public view."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/")
    def front() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return pages.show("front", newsletters=newsletters.values())

    @router.get("/{slug}")
    def archive(slug: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        newsletter = _newsletter(newsletters, slug)
        published = publishing.published(newsletter)
        return pages.show("archive", newsletter=newsletter, issues=published)

    @router.get("/{slug}/{on}")
    def whole(slug: str, on: date) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return HTMLResponse(publishing.public_view(_newsletter(newsletters, slug), on).html)

    @router.get("/{slug}/{on}/{key}")
    def edition(  # pyright: ignore[reportUnusedFunction]
        slug: str, on: date, key: str
    ) -> HTMLResponse:
        return HTMLResponse(publishing.public_view(_newsletter(newsletters, slug), on, key).html)

    return router


def _newsletter(newsletters: Mapping[str, Newsletter], slug: str) -> Newsletter:
    if slug not in newsletters:
        raise NotFound("there is no such newsletter")
    return newsletters[slug]
