"""The log: who decided what, when, from where, with what was before and after."""

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.core.staff import Permission
from newsletter.web.console.access import See, Visit
from newsletter.web.console.issue import issue_path
from newsletter.web.console.issue_page import issue_view
from newsletter.web.console.log_words import log_lines

router = APIRouter()


@router.get("/{slug}/log")
def log(
    request: Request, visit: See, actor: str = "", verb: str = "", cursor: int | None = None
) -> HTMLResponse:
    """Show what was decided in the newsletters one may see; to an owner, everything."""
    page = visit.services.archive.recent(
        actor=actor, verb=verb, cursor=cursor, newsletters=_seen(visit)
    )
    return visit.services.pages.show(
        request,
        "log",
        visit=visit,
        lines=log_lines(visit, page.decisions),
        cursor=page.cursor,
        actor=actor,
        verb=verb,
        head=None,
    )


def _seen(visit: Visit) -> frozenset[str] | None:
    """Return the newsletters whose decisions a person reads; None for all, with the staff's."""
    if visit.may(Permission.OWN):
        return None
    return frozenset(one.slug for one in visit.newsletters)


@router.get(issue_path("/log"))
def issue_log(request: Request, visit: See, on: date) -> HTMLResponse:
    """Show what was decided about one issue."""
    head = issue_view(visit, on)
    decisions = visit.services.archive.about(f"issue {head.stored.id}") if head.stored else ()
    return visit.services.pages.show(
        request, "issue_log", visit=visit, head=head, lines=log_lines(visit, reversed(decisions))
    )
