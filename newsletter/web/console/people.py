"""The people of an issue: who gets which edition, who gets nothing, and why."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from newsletter.core.issue_people import IssueGroup
from newsletter.errors import NotFound
from newsletter.web.console.access import KeepList, See
from newsletter.web.console.counting import counting_first
from newsletter.web.console.issue import issue_path
from newsletter.web.console.issue_page import issue_view

router = APIRouter()


@router.get(issue_path("/people"))
def people(request: Request, visit: See, on: date) -> HTMLResponse:
    """Show the forecast; once the issue is planned, its sums."""
    if first := counting_first(request, visit, on):
        return first
    head = issue_view(visit, on)
    planned = head.stored if head.forecast is None else None
    totals = visit.services.archive.totals(planned) if planned else None
    return visit.services.pages.show(request, "people", visit=visit, head=head, totals=totals)


@router.post(issue_path("/people/{group}"))
def behind(
    request: Request,
    visit: KeepList,
    on: date,
    group: IssueGroup,
    reason: Annotated[str, Form()] = "",
    cursor: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Show the readers behind a number, a page at a time; that these were seen is recorded."""
    head = issue_view(visit, on)
    if not head.stored or not head.stored.planned_at:
        raise NotFound("it has not been planned")
    page = visit.services.issue_people.page(
        head.stored, group, reason=reason or None, cursor=cursor or None
    )
    visit.services.archive.record_list(
        visit.actor, head.stored, group=group, reason=reason, shown=len(page.people)
    )
    return visit.services.pages.show(
        request,
        "behind",
        visit=visit,
        head=head,
        group=group,
        reason=reason,
        page=page,
        released=visit.services.issue_people.release_of(head.stored),
    )
