"""Today: what leaves, to how many, when, whether it is approved, and what is in the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from newsletter.core.forecast import Forecast
from newsletter.core.next_step import NextStep
from newsletter.core.preflight import PreflightFinding
from newsletter.core.staff import Permission
from newsletter.core.stored import IssueStatus
from newsletter.services.today import TodayOverview
from newsletter.web.console.access import See, Visit
from newsletter.web.console.counting import counting_first
from newsletter.web.console.going_live import in_the_way
from newsletter.web.console.leaving import in_grace, leaves_in
from newsletter.web.console.notified import people_notified
from newsletter.web.console.pages import clock, place
from newsletter.web.console.words import Words

router = APIRouter()

_INBOXES = 3  #: editions shown as an inbox has them: the largest
_STORIES = 3  #: stories shown in small
_HOURS_FROM = 90  #: minutes that are said as minutes no longer


@router.get("/{slug}/today")
def today(request: Request, visit: See) -> HTMLResponse:
    """Show what leaves, when, to how many, and what is in the way."""
    services = visit.services
    overview = services.today.of(visit.here)
    if _leaves(overview) and (first := counting_first(request, visit)):
        return first
    forecast = services.forecasts.of(visit.here, overview.on) if _leaves(overview) else None
    obstacles, looks = _findings(visit, overview)
    asked = services.approval_requests.of(overview.stored)
    return services.pages.show(
        request,
        "today",
        visit=visit,
        overview=overview,
        forecast=forecast,
        inboxes=forecast.editions[:_INBOXES] if forecast else (),
        stories=tuple(_stories(forecast))[:_STORIES] if forecast else (),
        lead=lead(services.pages.words, visit, overview, forecast),
        alerts=services.alerts.open(visit.here),
        approval_request=asked,
        notified=people_notified(visit, overview.stored, asked),
        skipped=services.skipped_days.since(visit.here, overview.week[0].on),
        obstacles=obstacles,
        setup_faults=in_the_way(visit),
        looks=looks,
        figures=services.figures.leaving(overview.previous) if overview.previous else None,
        list_changes=services.list_changes.since(visit.here, visit.now - timedelta(days=1)),
        NextStep=NextStep,
        Permission=Permission,
    )


def _leaves(overview: TodayOverview) -> bool:
    """Return whether the number of its readers is still a forecast."""
    return overview.step in {NextStep.GATHER, NextStep.ASSEMBLE, NextStep.APPROVE, NextStep.WAIT}


def _findings(
    visit: Visit, overview: TodayOverview
) -> tuple[tuple[PreflightFinding, ...], tuple[PreflightFinding, ...]]:
    """Return what stops a draft, and what nobody has looked at yet, which stops nothing."""
    if overview.step not in {NextStep.APPROVE, NextStep.WAIT}:
        return (), ()
    report = visit.services.preflight.report(visit.here, overview.on)
    return report.stops, report.open


@dataclass(frozen=True)
class StoryLine:
    """A story of the issue, in small."""

    number: int
    brief_id: int
    title: str
    verification: str
    readers: int


def _stories(forecast: Forecast) -> Iterator[StoryLine]:
    for number, entry in enumerate(forecast.issue.entries, start=1):
        yield StoryLine(
            number,
            entry.brief_id,
            entry.brief.title,
            entry.brief.verification,
            forecast.readers_of(entry.brief_id),
        )


def lead(
    words: Words, visit: Visit, overview: TodayOverview, forecast: Forecast | None
) -> tuple[Markup, ...]:
    """Return the page's sentence, and the line under it where there is one."""
    zone, stored = visit.here.timetable.zone, overview.stored
    when = words("today.when", time=clock(overview.hours.send, zone), place=place(zone))
    readers = forecast.readers if forecast else 0
    fields = {"day": f"{overview.on:%A}", "when": when, "count": readers, "people": readers}
    match overview.step:
        case NextStep.REST:
            return _of_rest(words, overview)
        case NextStep.GATHER:
            fields |= {"count": len(overview.received)}
            return _both(words, "gather", cut_off=clock(overview.hours.cut_off, zone), **fields)
        case NextStep.ASSEMBLE:
            missed = stored and stored.state is IssueStatus.MISSED
            return _both(words, "missed" if missed else "assemble", **fields)
        case NextStep.WAIT if stored and in_grace(stored):
            return (leaves_in(visit, stored), words("leaving.sent_by_hand", who=stored.leaves_by))
        case NextStep.APPROVE | NextStep.WAIT:
            late = overview.hours.send <= visit.now
            fields |= {"in": until(words, overview.hours.send - visit.now)}
            first = words("today.late" if late else "today.leaves", **fields)
            return (first, _approval(words, visit, overview))
        case NextStep.STOP | NextStep.CONTINUE | NextStep.READ_RESULTS:
            assert stored
            fields |= {"who": stored.paused_by or "", "because": stored.reason or ""}
            return _both(words, stored.state.value, **fields)


def _both(words: Words, name: str, **fields: object) -> tuple[Markup, Markup]:
    return words(f"today.{name}", **fields), words(f"today.{name}_more", **fields)


def _of_rest(words: Words, overview: TodayOverview) -> tuple[Markup, ...]:
    """Return the lines of a day without an issue."""
    day = f"{overview.on:%A}"
    if skipped := overview.skipped:
        said = words("today.skipped_today", day=day, who=skipped.by, because=skipped.because)
        return (said, words("today.set_aside") if overview.stored else Markup())
    following = f"{overview.next_on:%A}" if overview.next_on else words("today.never")
    return (words("today.rest", day=day, next=following),)


def _approval(words: Words, visit: Visit, overview: TodayOverview) -> Markup:
    stored = overview.stored
    if overview.step is not NextStep.WAIT or not (stored and stored.approved_at):
        return words("today.unapproved")
    at = clock(stored.approved_at, visit.here.timetable.zone)
    return words("today.approved", who=stored.approved_by, time=at)


def until(words: Words, left: timedelta) -> Markup:
    """Return a time to come as people say it: "in 28 minutes"."""
    minutes = max(1, round(left.total_seconds() / 60))
    if minutes < _HOURS_FROM:
        return words("today.in_minutes", count=minutes)
    return words("today.in_hours", count=round(minutes / 60))
