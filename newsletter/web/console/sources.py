"""Sources: what is polled for briefs, when it last answered, and what was refused."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.errors import NotFound
from newsletter.web.console.access import Edit, See

router = APIRouter()


@router.get("/{slug}/sources")
def sources(request: Request, visit: See) -> HTMLResponse:
    """Show the sources that are polled, and how each answered."""
    reports = visit.services.polling.reports(visit.here)
    return visit.services.pages.show(request, "sources", visit=visit, reports=reports)


@router.post("/{slug}/sources/{source}/poll")
def poll(visit: Edit, source: str) -> RedirectResponse:
    """Read one source now."""
    found = next((one for one in visit.here.sources if one.slug == source), None)
    if found is None:
        raise NotFound(f"there is no source {source}")
    visit.services.polling.poll(visit.here, found)
    return RedirectResponse(f"/{visit.here.slug}/sources#{source}", status_code=303)
