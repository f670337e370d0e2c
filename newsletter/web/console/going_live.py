"""Going live: everything that `newsletter doctor` says, and a letter that tries the whole way."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from newsletter.core.setup_finding import SetupGrade
from newsletter.core.setup_report import SetupReport
from newsletter.core.staff import Permission
from newsletter.web.console.access import Own, Visit
from newsletter.web.console.acts import FormKey, once
from newsletter.web.console.words import Words

router = APIRouter()

#: The worst first, each with its word.
_GRADES = {
    SetupGrade.FAIL: "fail",
    SetupGrade.WARN: "warn",
    SetupGrade.UNKNOWN: "unknown",
    SetupGrade.OK: "ok",
}


@router.get("/{slug}/settings/going-live")
def going_live(request: Request, visit: Own) -> HTMLResponse:
    """Show the last report, and how far one's last letter has come; htmx asks while they change."""
    services = visit.services
    report = services.setup_reports.last()
    trial = services.setup_letters.last(visit.here, to=visit.member.email)
    running = bool(report and report.begun_at)
    return services.pages.show(
        request,
        "going_live",
        block="report",
        visit=visit,
        report=report,
        running=running,
        trial=trial,
        moves=running or bool(trial and trial.waits),
        heading=_heading(services.pages.words, report),
    )


@router.post("/{slug}/settings/going-live/check")
def check(visit: Own) -> RedirectResponse:
    """Begin to look at everything; whoever asks meanwhile waits for the same report."""
    visit.services.setup_reports.begin(visit.actor)
    return RedirectResponse(_path(visit), status_code=303)


@router.post("/{slug}/settings/going-live/letter")
def letter(visit: Own, form_key: FormKey) -> RedirectResponse:
    """Send one real letter to whoever asks, by their own address."""

    def act() -> str:
        to = visit.member.email
        visit.services.setup_letters.send_one(visit.here, to=to, actor=visit.actor)
        return f"{_path(visit)}#letter"

    return once(visit, form_key, act)


def in_the_way(visit: Visit) -> int:
    """Return how many faults keep letters from leaving, for whoever may see them."""
    if visit.services.practice or not visit.may(Permission.OWN):
        return 0
    report = visit.services.setup_reports.last()
    return report.count(SetupGrade.FAIL) if report else 0


def _path(visit: Visit) -> str:
    return f"/{visit.here.slug}/settings/going-live"


def _heading(words: Words, report: SetupReport | None) -> Markup:
    """Return the page's sentence: the worst of what was found."""
    if report is None:
        return words("going_live.never")
    if report.checked_at is None:
        return words("going_live.first")
    worst = next((one for one in _GRADES if report.count(one)), SetupGrade.OK)
    return words(f"going_live.heading_{_GRADES[worst]}", count=report.count(worst))
