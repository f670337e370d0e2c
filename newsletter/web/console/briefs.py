"""Briefs: what came, what the gate said of each, and mending one in place."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling
from newsletter.errors import NotAllowed
from newsletter.services.intake import Receipt
from newsletter.web.console.access import Edit, See, Visit

router = APIRouter()

_DAYS = timedelta(days=2)  #: shown on one page besides the last


@router.get("/{slug}/briefs")
def briefs(
    request: Request, visit: See, show: Ruling | None = None, until: date | None = None
) -> HTMLResponse:
    """List the briefs of three days, the newest first."""
    last = until or visit.today
    received = visit.services.archive.received(visit.here, last - _DAYS, last)
    return visit.services.pages.show(
        request,
        "briefs",
        block="list",
        visit=visit,
        briefs=[one for one in reversed(received) if show in {None, one.ruling}],
        counts={ruling: sum(one.ruling is ruling for one in received) for ruling in Ruling},
        total=len(received),
        shown=show,
        last=last,
        before=last - _DAYS - timedelta(days=1),
    )


@router.get("/{slug}/briefs/{number}")
def brief(request: Request, visit: See, number: int) -> HTMLResponse:
    """Show one brief, every finding of the gate, and the form that mends it."""
    return _page(request, visit, visit.services.archive.brief(visit.here, number))


@router.post("/{slug}/briefs/{number}")
def edit(
    request: Request,
    visit: Edit,
    number: int,
    title: Annotated[str, Form()],
    summary: Annotated[str, Form()],
    why: Annotated[str, Form()] = "",
    source_name: Annotated[str, Form()] = "",
    source_url: Annotated[str, Form()] = "",
    topics: Annotated[tuple[str, ...], Form()] = (),
) -> Response:
    """Change a brief; the new revision goes through the gate, whose answer is shown."""
    stored = visit.services.archive.brief(visit.here, number)
    changes: Mapping[str, Any] = {
        "title": _line(title),
        "summary": _line(summary),
        "why": _line(why),
        "source_name": _line(source_name),
        "source_url": source_url.strip(),
        "topics": topics,
    }
    receipt = visit.services.intake.edit(stored.brief_id, changes, actor=visit.actor)
    return _answered(request, visit, receipt)


def _line(text: str) -> str:
    return " ".join(text.split())


def _answered(request: Request, visit: Visit, receipt: Receipt) -> Response:
    """Show the gate's answer in place; without a script, on the page that a reload keeps."""
    said = visit.services.pages.words(f"briefs.{receipt.stored.ruling}_now")
    if "hx-request" in request.headers:
        return _page(request, visit, receipt.stored, said=str(said))
    return RedirectResponse(f"/{visit.here.slug}/briefs/{receipt.stored.brief_id}", 303)


@router.post("/{slug}/briefs/{number}/hold")
def hold(request: Request, visit: Edit, number: int) -> Response:
    """Hold a brief: it is not printed, whatever the gate says."""
    stored = visit.services.archive.brief(visit.here, number)
    held = visit.services.intake.hold(stored.brief_id, actor=visit.actor)
    return _shown_or_led(request, visit, held)


@router.post("/{slug}/briefs/{number}/accept")
def accept(request: Request, visit: Edit, number: int) -> Response:
    """Accept a brief all the same; what nobody may waive is refused with its reason."""
    stored = visit.services.archive.brief(visit.here, number)
    try:
        accepted = visit.services.intake.accept(stored.brief_id, actor=visit.actor)
    except NotAllowed as refusal:
        return _page(request, visit, stored, fault=str(refusal), status=409)
    return _shown_or_led(request, visit, accepted)


def _shown_or_led(request: Request, visit: Visit, stored: StoredBrief) -> Response:
    if "hx-request" in request.headers:
        return _page(request, visit, stored)
    return RedirectResponse(f"/{visit.here.slug}/briefs/{stored.brief_id}", 303)


def _page(
    request: Request,
    visit: Visit,
    stored: StoredBrief,
    *,
    said: str = "",
    fault: str = "",
    status: int = 200,
) -> HTMLResponse:
    return visit.services.pages.show(
        request,
        "brief",
        status=status,
        block="brief",
        visit=visit,
        stored=stored,
        said=said,
        fault=fault,
        Ruling=Ruling,
    )
