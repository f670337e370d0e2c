"""An issue on its way: how far it has come, one press to stop it, care to let it go on."""

import math
from datetime import date
from functools import partial
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from newsletter.core.leaving import LeavingFigures
from newsletter.core.stored import IssueProgress, IssueStatus, StoredIssue
from newsletter.errors import NotFound
from newsletter.web.console.access import See, Visit
from newsletter.web.console.issue import issue_path
from newsletter.web.console.issue_page import approvers
from newsletter.web.console.notified import together
from newsletter.web.console.pages import clock, place
from newsletter.web.console.words import Words

router = APIRouter()

_BAR = 1000  #: units of the drawing's width


class LeavingIssue(NamedTuple):
    """Which issue it is, and how it stands; its stories would cost more than its figures."""

    slug: str  #: of the newsletter
    on: date
    stored: IssueProgress | None


@router.get(issue_path("/leaving"))
def leaving(request: Request, visit: See, on: date) -> HTMLResponse:
    """Show the figures; htmx asks for them alone every two seconds while they change."""
    services, stored = visit.services, visit.services.archive.progress(visit.here, on)
    if stored is None and on != visit.today:
        raise NotFound(f"there is no issue of {on}")
    planned = stored if stored and stored.planned_at else None
    figures = services.figures.leaving(planned) if planned else None
    return services.pages.show(
        request,
        "leaving",
        block="figures",
        visit=visit,
        head=LeavingIssue(visit.here.slug, on, stored),
        figures=figures,
        bar=bar_parts(figures) if figures else (),
        heading=_heading(visit, stored, figures),
        approvers=partial(approvers, visit),
        moves=bool(planned and planned.state is IssueStatus.SENDING) or in_grace(stored),
        waits=in_grace(stored),
    )


def _heading(visit: Visit, stored: IssueProgress | None, figures: LeavingFigures | None) -> str:
    words = visit.services.pages.words
    if stored and in_grace(stored):
        return leaves_in(visit, stored)
    if stored is None or figures is None:
        return words("leaving.not_yet")
    fields = {"done": figures.done, "all": figures.sums.deliveries}
    if stored.state is IssueStatus.SENDING:
        left = figures.seconds_left
        more = words("leaving.seconds_left", count=round(left)) if left else ""
        return words("leaving.sending", **fields) + " " + more
    left = figures.sums.accepted  # what was refused or left out is done, and has not left
    return words(f"leaving.{stored.state}", **fields | {"done": left})


def in_grace(stored: StoredIssue | IssueProgress | None) -> bool:
    """Return whether somebody sent it by hand, and it can still be called back."""
    return bool(stored and stored.state is IssueStatus.APPROVED and stored.leaves_at)


def leaves_in(visit: Visit, stored: StoredIssue | IssueProgress) -> Markup:
    """Return how long an issue that was sent by hand can still be called back."""
    words, zone = visit.services.pages.words, visit.here.timetable.zone
    assert stored.leaves_at
    left = math.ceil((stored.leaves_at - visit.now).total_seconds())
    if left <= 0:
        return words("leaving.any_moment")
    at = {"time": clock(stored.leaves_at, zone), "place": place(zone)}
    return words("leaving.leaves_in", left=_time_left(words, left), **at)


def _time_left(words: Words, seconds: int) -> str | Markup:
    """Return a short time as people say it: "one minute and 30 seconds"."""
    counts = {"minutes": seconds // 60, "seconds": seconds % 60}
    return together(words, [words(f"leaving.{name}", count=n) for name, n in counts.items() if n])


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
