"""An issue on its way: how far it has come, one press to stop it, care to let it go on."""

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.core.leaving import LeavingFigures
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.web.console.access import See, Visit
from newsletter.web.console.issue import issue_path
from newsletter.web.console.issue_page import approvers, issue_view

router = APIRouter()

_BAR = 1000  #: units of the drawing's width


@router.get(issue_path("/leaving"))
def leaving(request: Request, visit: See, on: date) -> HTMLResponse:
    """Show the figures; htmx asks for them alone every two seconds while they change."""
    services, head = visit.services, issue_view(visit, on)
    planned = head.stored if head.stored and head.stored.planned_at else None
    figures = services.figures.leaving(planned) if planned else None
    return services.pages.show(
        request,
        "leaving",
        block="figures",
        visit=visit,
        head=head,
        figures=figures,
        bar=bar_parts(figures) if figures else (),
        heading=_heading(visit, head.stored, figures),
        approvers=approvers(visit),
        moves=bool(planned and planned.state is IssueStatus.SENDING),
    )


def _heading(visit: Visit, stored: StoredIssue | None, figures: LeavingFigures | None) -> str:
    words = visit.services.pages.words
    if stored is None or figures is None:
        return words("leaving.not_yet")
    fields = {"done": figures.done, "all": figures.sums.deliveries}
    if stored.state is IssueStatus.SENDING:
        left = figures.seconds_left
        more = words("leaving.seconds_left", count=round(left)) if left else ""
        return words("leaving.sending", **fields) + " " + more
    left = figures.sums.accepted  # what was refused or left out is done, and has not left
    return words(f"leaving.{stored.state}", **fields | {"done": left})


def bar_parts(figures: LeavingFigures) -> list[tuple[str, float, float]]:
    """Return the bar's parts as (class, start, width), together as wide as the drawing."""
    sums, whole = figures.sums, max(figures.sums.deliveries, 1)
    parts = (
        ("b", sums.accepted),
        ("bad-b", sums.refused + sums.skipped),
        ("m", sums.unknown),
        ("r", figures.claimed),
    )
    drawn, at = list[tuple[str, float, float]](), 0.0
    for name, count in parts:
        width = _BAR * count / whole
        drawn.append((name, round(at, 1), round(width, 1)))
        at += width
    return drawn
