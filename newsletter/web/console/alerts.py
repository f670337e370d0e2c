"""Operator alerts: what happened, what happens by itself, and what only a person can do."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.operator_alert import ALL, OperatorAlertKind
from newsletter.core.reconciliation import Resolution
from newsletter.errors import NotFound
from newsletter.web.console.access import Edit, KeepListFresh, See, Stop, Visit
from newsletter.web.console.acts import Because, FormKey, once
from newsletter.web.console.notified import channels_notified

router = APIRouter()


@router.get("/{slug}/alerts/{number}")
def alert(request: Request, visit: See, number: int) -> HTMLResponse:
    """Show one alert with its buttons; for batches without an answer, the evidence of each."""
    stored = visit.services.alerts.alert(_own(visit, number))
    batches = [
        (batch, judgement)
        for batch, judgement in visit.services.reconciling.judgements()
        if batch.newsletter == visit.here.slug
    ]
    about_batches = stored.alert.kind is OperatorAlertKind.UNKNOWN_BATCH
    return visit.services.pages.show(
        request,
        "alert",
        visit=visit,
        stored=stored,
        is_open=stored.is_open(visit.now),
        notified=channels_notified(visit.services.pages.words, stored),
        batches=batches if about_batches else (),
        resolutions=tuple(Resolution),
    )


def _own(visit: Visit, number: int) -> int:
    """Return the number; NotFound for an alert about another newsletter."""
    found = visit.services.alerts.alert(number).alert
    if found.newsletter not in (visit.here.slug, ALL):  # one about all is shown in each
        raise NotFound(f"there is no alert {number}")
    return number


@router.post("/{slug}/alerts/{number}/mine")
def acknowledge(visit: Stop, number: int) -> RedirectResponse:
    """Take care of an alert, so that no second person does."""
    visit.services.alerts.acknowledge(_own(visit, number), visit.actor)
    return RedirectResponse(f"/{visit.here.slug}/alerts/{number}", status_code=303)


@router.post("/{slug}/alerts/{number}/close")
def close(visit: Stop, number: int, because: Because) -> RedirectResponse:
    """Close an alert whatever its cause."""
    visit.services.alerts.close(_own(visit, number), actor=visit.actor, because=because)
    return RedirectResponse(f"/{visit.here.slug}/today", status_code=303)


@router.post("/{slug}/batches/{batch_id}/resolve")
def resolve(
    visit: KeepListFresh,
    batch_id: int,
    resolution: Annotated[Resolution, Form()],
    because: Because,
    form_key: FormKey,
    alert: Annotated[int, Form()],
) -> RedirectResponse:
    """Decide about a batch whose answer was lost; the evidence is recorded for good."""
    open_batches = {batch.batch_id: batch for batch, _ in visit.services.reconciling.judgements()}
    if batch_id not in open_batches or open_batches[batch_id].newsletter != visit.here.slug:
        raise NotFound(f"there is no open batch {batch_id}")

    def act() -> str:
        visit.services.reconciling.resolve(batch_id, resolution, actor=visit.actor, because=because)
        if resolution is Resolution.RESEND:
            visit.services.recovery.recover()
        return f"/{visit.here.slug}/alerts/{alert}"

    return once(visit, form_key, act)


@router.post("/{slug}/days/{on}/skip")
def skip(visit: Edit, on: date, because: Because) -> RedirectResponse:
    """Make no issue on a day."""
    visit.services.skipped_days.skip(visit.here, on, because=because, actor=visit.actor)
    return RedirectResponse(f"/{visit.here.slug}/today", status_code=303)


@router.post("/{slug}/days/{on}/unskip")
def unskip(visit: Edit, on: date) -> RedirectResponse:
    """Let a skipped day have its issue again."""
    visit.services.skipped_days.unskip(visit.here, on, actor=visit.actor)
    return RedirectResponse(f"/{visit.here.slug}/today", status_code=303)
