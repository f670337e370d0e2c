"""What can be done to an issue as a whole: assemble, approve, take back, stop, continue, cancel.

Starting takes care, stopping takes one press. Each form bears a key: posted twice, it is done once
and answered alike. See docs/decisions/stopping-is-easier-than-starting.md.
"""

from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from newsletter.core.forecast import is_about
from newsletter.core.next_step import NextStep
from newsletter.core.stored import StoredIssue
from newsletter.errors import ConfirmationNeeded, FindingsUnseen, NotAllowed, StaleDraft
from newsletter.web.console.access import (
    Approve,
    ApproveTicked,
    Edit,
    SendBack,
    Stop,
    Visit,
    proof_is_spent,
    prove,
)
from newsletter.web.console.issue import issue_path, show_issue, show_stale
from newsletter.web.console.issue_page import FormOutcome, issue_view
from newsletter.web.console.reasons import REASON_LENGTH
from newsletter.web.sentences import sentence

router = APIRouter()

FormKey = Annotated[str, Form(max_length=64)]
Because = Annotated[str, Form(max_length=REASON_LENGTH)]


def once(visit: Visit, form_key: str, act: Callable[[], str]) -> RedirectResponse:
    """Act, unless this form was posted before, and lead to the page that says what happened."""
    where = visit.services.sessions.once(visit.signed, form_key, act)
    return RedirectResponse(where, status_code=303)


@router.post(issue_path("/assemble"))
def assemble(visit: Edit, on: date, form_key: FormKey) -> RedirectResponse:
    """Assemble and set the issue from the briefs that are accepted now."""

    def act() -> str:
        visit.services.publishing.assemble(visit.here, on)
        return visit.issue_url(on)

    return once(visit, form_key, act)


@router.post(issue_path("/approve"))
def approve(
    request: Request,
    visit: ApproveTicked,
    on: date,
    form_key: FormKey,
    content_hash: Annotated[str, Form()],
    seen: Annotated[tuple[str, ...], Form()] = (),
) -> Response:
    """Approve the draft that the page showed; of any other, say what changed."""

    def act() -> str:
        services = visit.services
        try:
            prove(request, visit)
        except ConfirmationNeeded:  # who comes back from it finds what they ticked
            services.reviews.store_ticks(
                visit.here, on, seen=seen, actor=visit.actor, expecting=content_hash
            )
            raise
        services.reviews.approve(
            visit.here, on, seen=seen, actor=visit.actor, expecting=content_hash
        )
        proof_is_spent(request, visit)
        return f"{visit.issue_url(on)}#approval"

    try:
        return once(visit, form_key, act)
    except StaleDraft as stale:
        return show_stale(request, visit, on, stale, seen=content_hash)
    except ConfirmationNeeded:
        raise
    except NotAllowed as refusal:
        nothing = visit.services.pages.words("issue.nothing_was_done")
        said = Markup("{} {}").format(_refused(visit, on, refusal), nothing)
        return show_issue(request, visit, on, FormOutcome(said=said, ticked=seen, status=409))


def _refused(visit: Visit, on: date, refusal: NotAllowed) -> str:
    """Return why it is not approved; what is to be ticked is on the page of a draft only."""
    ticks = issue_view(visit, on).step is NextStep.APPROVE
    if isinstance(refusal, FindingsUnseen) and ticks:
        findings = " ".join(refusal.findings)
        return visit.services.pages.words("issue.tick_first", findings=findings)
    return sentence(str(refusal))


@router.post(issue_path("/ask"))
def ask(visit: Edit, on: date, form_key: FormKey, note: Because = "") -> RedirectResponse:
    """Ask those who may approve to look at the draft."""

    def act() -> str:
        visit.services.approval_requests.ask(visit.here, on, actor=visit.actor, note=note)
        return f"{visit.issue_url(on)}#approval"

    return once(visit, form_key, act)


@router.post(issue_path("/send-back"))
def send_back(visit: SendBack, on: date, form_key: FormKey, note: Because) -> RedirectResponse:
    """Send the draft back to those who edit it, with what is to be changed."""

    def act() -> str:
        visit.services.approval_requests.send_back(visit.here, on, actor=visit.actor, note=note)
        return visit.issue_url(on)

    return once(visit, form_key, act)


@router.post(issue_path("/take-back"))
def take_back(visit: Edit, on: date, form_key: FormKey, because: Because = "") -> RedirectResponse:
    """Make an approved issue that has not left a draft again."""

    def act() -> str:
        reason = because.strip() or str(visit.services.pages.words("today.taken_back_here"))
        visit.services.publishing.withdraw(visit.here, on, actor=visit.actor, because=reason)
        return visit.issue_url(on)

    return once(visit, form_key, act)


@router.post(issue_path("/send-now"))
def send_now(
    request: Request,
    visit: Approve,
    on: date,
    form_key: FormKey,
    people: Annotated[int, Form()],
    approved_hash: Annotated[str, Form(max_length=64)],
) -> RedirectResponse:
    """Let the issue whose approval was shown leave before its hour, to about as many people."""

    def act() -> str:
        if _stored(visit, on).approved_hash != approved_hash:
            raise NotAllowed(visit.services.pages.words("approval.other_approved"))
        readers = visit.services.forecasts.of(visit.here, on).readers
        if not is_about(readers, people):
            words = visit.services.pages.words
            raise NotAllowed(words("approval.other_number", shown=people, now=readers))
        prove(request, visit)
        visit.services.sending_by_hand.send(
            visit.here, on, approved_hash=approved_hash, actor=visit.actor
        )
        proof_is_spent(request, visit)
        return f"{visit.issue_url(on)}/leaving"

    return once(visit, form_key, act)


@router.post(issue_path("/call-back"))
def call_back(visit: Stop, on: date) -> RedirectResponse:
    """Let an issue that was sent by hand not leave: one press, until its grace is over."""
    visit.services.sending_by_hand.call_back(visit.here, on, actor=visit.actor)
    return RedirectResponse(visit.issue_url(on), status_code=303)


@router.post(issue_path("/stop"))
def stop(visit: Stop, on: date) -> RedirectResponse:
    """Stop at once, without a question and however often it is pressed; why is asked after."""
    because = str(visit.services.pages.words("leaving.stopped_here"))
    visit.services.halting.stop(visit.here, on, actor=visit.actor, because=because)
    return RedirectResponse(f"{visit.issue_url(on)}/leaving", status_code=303)


@router.post(issue_path("/why-stopped"))
def why_stopped(visit: Stop, on: date, because: Because) -> RedirectResponse:
    """Record why somebody stopped it."""
    stored = _stored(visit, on)
    visit.services.limits.explain_pause(stored, actor=visit.actor, because=because)
    return RedirectResponse(f"{visit.issue_url(on)}/leaving", status_code=303)


@router.post(issue_path("/continue"))
def resume(visit: Approve, on: date, form_key: FormKey, because: Because) -> RedirectResponse:
    """Let a stopped issue go on."""

    def act() -> str:
        stored = _stored(visit, on)
        visit.services.limits.resume(stored, actor=visit.actor, because=because)
        visit.services.recovery.recover()
        return f"{visit.issue_url(on)}/leaving"

    return once(visit, form_key, act)


@router.post(issue_path("/cancel"))
def cancel(
    visit: Approve, on: date, form_key: FormKey, because: Because, typed: Annotated[str, Form()]
) -> RedirectResponse:
    """Send nothing more, for good; whoever asks types the issue's date."""

    def act() -> str:
        if typed.strip() != str(on):
            raise NotAllowed(visit.services.pages.words("leaving.type_the_date", date=str(on)))
        stored = _stored(visit, on)
        visit.services.limits.cancel(stored, actor=visit.actor, because=because)
        return f"{visit.issue_url(on)}/leaving"

    return once(visit, form_key, act)


def _stored(visit: Visit, on: date) -> StoredIssue:
    return visit.services.publishing.issue(visit.here, on)
