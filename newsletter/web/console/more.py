"""More: on a phone, the links that the bar has no room for."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.web.console.access import See

router = APIRouter()


@router.get("/{slug}/more")
def more(request: Request, visit: See) -> HTMLResponse:
    """Show the other parts, the other newsletters, and one's account."""
    return visit.services.pages.show(request, "more", visit=visit)
