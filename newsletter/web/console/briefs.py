"""Briefs: what came, what the gate said of each, and mending one in place."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from newsletter.core.brief import Verification
from newsletter.core.difference import Difference, brief_differences
from newsletter.core.stored import BriefRevision, IssueStatus, StoredBrief
from newsletter.core.verification import Ruling, Verdict
from newsletter.errors import InvalidBrief, NotAllowed
from newsletter.web.console.access import Edit, See, Visit

router = APIRouter()

Changes = Mapping[str, tuple[Difference, ...]]  #: by the name of the field

_DAYS = timedelta(days=2)  #: shown on one page besides the last


def _line(text: str) -> str:
    return " ".join(text.split())


def _fields(
    title: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
    source_name: Annotated[str, Form()] = "",
    source_url: Annotated[str, Form()] = "",
    topics: Annotated[tuple[str, ...], Form()] = (),
    verification: Annotated[Verification, Form()] = Verification.UNVERIFIED,
    minutes: Annotated[int, Form()] = 0,
    short: Annotated[str, Form()] = "",
    line: Annotated[str, Form()] = "",
    unconfirmed: Annotated[str, Form()] = "",
    picture: Annotated[str, Form()] = "",
    picture_alt: Annotated[str, Form()] = "",
    picture_width: Annotated[int, Form(ge=0)] = 0,
) -> Mapping[str, Any]:
    """Return what a form says of a brief, each text on one line."""
    return {
        "title": _line(title),
        "summary": _line(summary),
        "why": _line(why),
        "source_name": _line(source_name),
        "source_url": source_url.strip(),
        "topics": topics,
        "verification": verification,
        "minutes": minutes,
        "short": _line(short),
        "line": _line(line),
        "unconfirmed": _line(unconfirmed),
        "picture": picture.strip(),
        "picture_alt": _line(picture_alt),
        "picture_width": picture_width,
    }


BriefFields = Annotated[Mapping[str, Any], Depends(_fields)]

#: What only whoever writes a brief says; of one that came from the hub, the hub says it.
_LABEL = frozenset({"verification", "minutes"})
_EMPTY = _fields()


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


@router.get("/{slug}/briefs/new")
def new_brief(request: Request, visit: Edit) -> HTMLResponse:
    """Show the form for a brief that a person writes."""
    return _form(request, visit, _EMPTY)


@router.post("/{slug}/briefs/new")
def write(request: Request, visit: Edit, fields: BriefFields) -> Response:
    """Take in the brief, or, asked by htmx while it is written, say what the gate would."""
    if "hx-request" in request.headers:
        verdict = visit.services.intake.check(visit.here, fields)
        return _form(request, visit, fields, verdict=verdict)
    try:
        receipt = visit.services.intake.write(visit.here, fields, actor=visit.actor)
    except (NotAllowed, InvalidBrief) as refusal:
        return _form(request, visit, fields, fault=str(refusal), status=422)
    _set_anew(visit)
    return RedirectResponse(f"/{visit.here.slug}/briefs/{receipt.stored.brief_id}", 303)


def _form(
    request: Request,
    visit: Visit,
    fields: Mapping[str, Any],
    *,
    verdict: Verdict | None = None,
    fault: str = "",
    status: int = 200,
) -> HTMLResponse:
    return visit.services.pages.show(
        request,
        "new_brief",
        status=status,
        block="answer",
        visit=visit,
        fields=fields,
        verdict=verdict,
        fault=fault,
        labels=(Verification.VERIFIED, Verification.PARTIAL),
    )


def _set_anew(visit: Visit) -> None:
    """Set today's draft with the brief as it is now; one that is frozen stays as it is."""
    stored = visit.services.archive.issue(visit.here, visit.today)
    if stored and stored.state in {IssueStatus.DRAFT, IssueStatus.EMPTY}:
        visit.services.publishing.assemble(visit.here, visit.today)


@router.get("/{slug}/briefs/{number}")
def brief(request: Request, visit: See, number: int) -> HTMLResponse:
    """Show one brief, every finding of the gate, and the form that mends it."""
    return _page(request, visit, visit.services.archive.brief(visit.here, number))


@router.post("/{slug}/briefs/{number}")
def edit(
    request: Request,
    visit: Edit,
    number: int,
    fields: BriefFields,
    revision: Annotated[int | None, Form()] = None,
) -> Response:
    """Change a brief; the new revision goes through the gate, whose answer is shown.

    `revision` is the one that was on the page: of another, nothing is overwritten.
    """
    stored = visit.services.archive.brief(visit.here, number)
    if revision not in {None, stored.revision}:
        fault = str(visit.services.pages.words("briefs.changed_meanwhile"))
        return _page(request, visit, stored, fault=fault, typed=fields, status=409)
    try:
        receipt = visit.services.intake.edit(stored.brief_id, _mended(fields), actor=visit.actor)
    except (NotAllowed, InvalidBrief) as refusal:
        return _page(request, visit, stored, fault=str(refusal), typed=fields, status=422)
    _set_anew(visit)
    said = visit.services.pages.words(f"briefs.{receipt.stored.ruling}_now")
    return _answered(request, visit, receipt.stored, said=str(said))


@router.post("/{slug}/briefs/{number}/check")
def check(request: Request, visit: Edit, number: int, fields: BriefFields) -> HTMLResponse:
    """Say what the gate would of a brief as it is being mended; nothing is stored."""
    stored = visit.services.archive.brief(visit.here, number)
    verdict = visit.services.intake.check(visit.here, _mended(fields), stored.brief_id)
    return _form(request, visit, fields, verdict=verdict)


def _mended(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in fields.items() if name not in _LABEL}


def _answered(request: Request, visit: Visit, stored: StoredBrief, said: str = "") -> Response:
    """Show the brief in place; without a script, on the page that a reload keeps."""
    if "hx-request" in request.headers:
        return _page(request, visit, stored, said=said)
    return RedirectResponse(f"/{visit.here.slug}/briefs/{stored.brief_id}", 303)


@router.post("/{slug}/briefs/{number}/hold")
def hold(request: Request, visit: Edit, number: int) -> Response:
    """Hold a brief: it is not printed, whatever the gate says."""
    stored = visit.services.archive.brief(visit.here, number)
    held = visit.services.intake.hold(stored.brief_id, actor=visit.actor)
    _set_anew(visit)
    return _answered(request, visit, held)


@router.post("/{slug}/briefs/{number}/accept")
def accept(request: Request, visit: Edit, number: int) -> Response:
    """Accept a brief all the same; what nobody may waive is refused with its reason."""
    stored = visit.services.archive.brief(visit.here, number)
    try:
        accepted = visit.services.intake.accept(stored.brief_id, actor=visit.actor)
    except NotAllowed as refusal:
        return _page(request, visit, stored, fault=str(refusal), status=409)
    _set_anew(visit)
    return _answered(request, visit, accepted)


def _revisions(visit: Visit, stored: StoredBrief) -> Sequence[tuple[BriefRevision, Changes]]:
    """Return each revision but the first with what it changed, the newest first."""
    found = visit.services.archive.revisions(stored.brief_id)
    pairs = [
        (after, brief_differences(before.brief, after.brief)) for before, after in pairwise(found)
    ]
    return pairs[::-1]


def _page(
    request: Request,
    visit: Visit,
    stored: StoredBrief,
    *,
    said: str = "",
    fault: str = "",
    typed: Mapping[str, Any] | None = None,
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
        typed=typed,
        revisions=_revisions(visit, stored),
        printed=visit.services.public_pages.find(visit.here, stored.brief_id),
    )
