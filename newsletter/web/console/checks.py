"""Checks: what stops an issue, what should be looked at, and what is worth knowing."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.preflight import PreflightGrade
from newsletter.web.console.access import Edit, See
from newsletter.web.console.counting import counting_first
from newsletter.web.console.issue import issue_path
from newsletter.web.console.issue_page import issue_view

router = APIRouter()


@router.get(issue_path("/checks"))
def checks(request: Request, visit: See, on: date) -> HTMLResponse:
    """Show every finding about the issue as it would leave now."""
    if first := counting_first(request, visit, on):
        return first
    head = issue_view(visit, on)
    report = visit.services.preflight.report(visit.here, on) if head.forecast else None
    seen = {tick.finding: tick for tick in report.ticks} if report else {}
    return visit.services.pages.show(
        request, "checks", visit=visit, head=head, report=report, seen=seen, grades=PreflightGrade
    )


@router.post(issue_path("/checks/seen"))
def tick(
    visit: Edit,
    on: date,
    finding: Annotated[str, Form()],
    content_hash: Annotated[str, Form()],
) -> RedirectResponse:
    """Keep that a person saw a finding."""
    visit.services.preflight.tick(
        visit.here, on, content_hash=content_hash, finding=finding, actor=visit.actor
    )
    return RedirectResponse(f"{visit.issue_url(on)}/checks", status_code=303)
