"""The page behind "Do you still want it?". A GET shows it; only a POST answers."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from newsletter.web.dependencies import Services, WebServices
from newsletter.web.pages import READ
from newsletter.web.public.links import OpenedLink, StillWantedLink

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/k/{token}", methods=READ)
def ask(reader: StillWantedLink, services: Services) -> HTMLResponse:
    """Show the button that says the letters are still wanted."""
    return _show(services, reader, answered=False)


@router.post("/k/{token}")
def answer(reader: StillWantedLink, services: Services) -> HTMLResponse:
    """Record that the letters are still wanted."""
    services.sunsets.record_still_wanted(reader.subscription.id, now=reader.now)
    return _show(services, reader.reloaded(services), answered=True)


def _show(services: WebServices, reader: OpenedLink, *, answered: bool) -> HTMLResponse:
    return services.pages.show(
        "still_wanted", reader=reader, newsletter=reader.newsletter, answered=answered
    )
