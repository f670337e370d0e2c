"""Results: what became of the letters, people and machines apart, each figure with its whole."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from newsletter.core.result_tables import story_rows, trend_rows
from newsletter.core.results import ResultLine, ResultWord
from newsletter.errors import NotFound
from newsletter.web.console.access import See
from newsletter.web.console.issue import issue_path
from newsletter.web.console.issue_page import issue_view

router = APIRouter()

_WIDTH, _HEIGHT, _TOP = 720, 160, 8  #: of the trend's drawing, in its own units


@router.get(issue_path("/results"))
def issue_results(request: Request, visit: See, on: date) -> HTMLResponse:
    """Show one issue's results."""
    head = issue_view(visit, on)
    planned = head.stored if head.stored and head.stored.planned_at else None
    results = visit.services.results.of(planned) if planned else None
    coming = bool(results and visit.services.results.still_coming_in(results))
    return visit.services.pages.show(
        request, "issue_results", visit=visit, head=head, results=results, coming=coming
    )


@router.get(issue_path("/results.csv"))
def stories_csv(visit: See, on: date) -> Response:
    """Return the results of each story as a table."""
    head = issue_view(visit, on)
    if not head.stored or not head.stored.planned_at:
        raise NotFound("it has not left yet")
    results = visit.services.results.of(head.stored)
    return _csv(f"{visit.here.slug}-{on}", story_rows(results))


@router.get("/{slug}/results")
def trend(request: Request, visit: See) -> HTMLResponse:
    """Show the last thirty issues, weekday by weekday."""
    lines = visit.services.results.trend(visit.here)
    return visit.services.pages.show(
        request,
        "results",
        visit=visit,
        lines=lines,
        words=ResultWord,
        opened=chart(lines, ResultWord.OPENED),
        clicked=chart(lines, ResultWord.CLICKED),
        width=_WIDTH,
        height=_HEIGHT,
    )


@router.get("/{slug}/results.csv")
def trend_csv(visit: See) -> Response:
    """Return the trend as a table."""
    lines = visit.services.results.trend(visit.here)
    return _csv(f"{visit.here.slug}-results", trend_rows(lines))


@dataclass(frozen=True)
class ChartPoint:
    """An issue in the trend's drawing."""

    x: float
    y: float
    day: date
    share: float
    same_weekday: bool  #: as the latest issue


@dataclass(frozen=True)
class Chart:
    """A share over the last issues, the oldest first, drawn on the server."""

    points: Sequence[ChartPoint]
    most: float  #: the share at the top line

    @property
    def path(self) -> str:
        """Return the line as SVG writes it."""
        return " ".join(f"{one.x:.1f},{one.y:.1f}" for one in self.points)


def chart(lines: Sequence[ResultLine], word: ResultWord) -> Chart | None:
    """Return the drawing of a share; None where there is no line to draw."""
    shares = [(one, one.share(word)) for one in reversed(lines)]
    known = [(one, share) for one, share in shares if share is not None]
    if len(known) < 2:  # noqa: PLR2004  # two points make a line
        return None
    most = max(0.1, -(-max(share for _, share in known) // 0.1) * 0.1)
    step, latest = _WIDTH / (len(known) - 1), known[-1][0].weekday
    points = [
        ChartPoint(
            x=at * step,
            y=_TOP + (_HEIGHT - _TOP) * (1 - share / most),
            day=one.date,
            share=share,
            same_weekday=one.weekday == latest,
        )
        for at, (one, share) in enumerate(known)
    ]
    return Chart(points, most)


def _csv(name: str, rows: Iterable[Sequence[str]]) -> Response:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
