"""Briefs: what came, what the gate said of each, and mending one in place."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.publication import span_of
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling
from newsletter.errors import NotFound
from newsletter.web.console.access import Edit, See, Visit

router = APIRouter()

_DAYS = 3  #: shown on one page: today and the two before

#: The fields of a brief that a person may change, by the name in the form.
_FIELDS = ("title", "summary", "why", "source_name", "source_url", "line")


@router.get("/{slug}/briefs")
def briefs(
    request: Request,
    visit: See,
    show: Annotated[Ruling | None, Query()] = None,
    until: Annotated[date | None, Query()] = None,
) -> HTMLResponse:
    """List the briefs of some days, the newest first."""
    last = until or visit.today
    start, _ = span_of(visit.here, last - timedelta(days=_DAYS - 1))
    _, end = span_of(visit.here, last)
    received = visit.services.briefs.on(start, end, visit.here.pillar)
    chosen = [one for one in reversed(received) if show in (None, one.ruling)]
    counts = {ruling: sum(one.ruling is ruling for one in received) for ruling in Ruling}
    return visit.services.pages.show(
        request,
        "briefs",
        block="list",
        visit=visit,
        briefs=chosen,
        counts=counts,
        total=len(received),
        shown=show,
        last=last,
        before=last - timedelta(days=_DAYS),
    )


@router.get("/{slug}/briefs/{number}")
def brief(request: Request, visit: See, number: int) -> HTMLResponse:
    """Show one brief with every finding of the gate and all its revisions."""
    return _brief_page(request, visit, _brief(visit, number))


def _brief(visit: Visit, number: int) -> StoredBrief:
    """Return a brief of this newsletter; one of another newsletter does not exist here."""
    stored = visit.services.briefs.get(number)
    if stored.brief.pillar.casefold() != visit.here.pillar.casefold():
        raise NotFound(f"there is no brief {number}")
    return stored


def _brief_page(
    request: Request, visit: Visit, stored: StoredBrief, *, said: str = "", status: int = 200
) -> HTMLResponse:
    return visit.services.pages.show(
        request,
        "brief",
        status=status,
        block="brief",
        visit=visit,
        stored=stored,
        revisions=visit.services.briefs.revisions(stored.brief_id),
        said=said,
    )


@router.post("/{slug}/briefs/{number}")
async def edit(request: Request, visit: Edit, number: int) -> RedirectResponse:
    """Change a brief; the new revision goes through the gate."""
    form = await request.form()
    changes: Mapping[str, Any] = {name: str(form[name]).strip() for name in _FIELDS if name in form}
    del changes
    raise NotImplementedError


@router.post("/{slug}/briefs/{number}/hold")
def hold(visit: Edit, number: int) -> RedirectResponse:
    """Hold a brief: it is not printed, whatever the gate says."""
    visit.services.intake.hold(_brief(visit, number).brief_id, actor=visit.actor)
    return RedirectResponse(f"/{visit.here.slug}/briefs/{number}", status_code=303)


@router.post("/{slug}/briefs/{number}/accept")
def accept(visit: Edit, number: int) -> RedirectResponse:
    """Accept a brief all the same; what nobody may waive is refused with its reason."""
    visit.services.intake.accept(_brief(visit, number).brief_id, actor=visit.actor)
    return RedirectResponse(f"/{visit.here.slug}/briefs/{number}", status_code=303)


__all__ = ["Form"]
