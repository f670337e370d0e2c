"""The answer to "still want this?". A GET shows a page; only a POST answers."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from newsletter.web.public.links import LinkOpener, OpenedLink
from newsletter.web.public.pages import READ, Pages
from subscribers.model import Purpose
from subscribers.sunset.service import Sunsets


def routes(door: LinkOpener, sunsets: Sunsets, pages: Pages) -> APIRouter:
    """Return the routes behind the question's link."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.api_route("/k/{token}", methods=READ)
    def ask(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return _show(pages, door.open(Purpose.KEEP, token), kept=False)

    @router.post("/k/{token}")
    def keep(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = door.open(Purpose.KEEP, token)
        sunsets.keep(found.subscription.id, now=found.now)
        return _show(pages, door.open(Purpose.KEEP, token), kept=True)

    return router


def _show(pages: Pages, reader: OpenedLink, *, kept: bool) -> HTMLResponse:
    return pages.show("keep", reader=reader, newsletter=reader.newsletter, kept=kept)
