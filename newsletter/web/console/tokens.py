"""API tokens, at the settings: what programs may do; owners make them and revoke them."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from newsletter.core.api_token import LIFETIME, LONGEST_LIFETIME, Scope
from newsletter.errors import NotAllowed
from newsletter.web.console.access import Own, OwnFresh, Visit
from newsletter.web.console.acts import FormKey, once

router = APIRouter()

#: How the console says each scope, by the name of the word.
_WORDS = {
    Scope.BRIEFS_READ: "briefs_read",
    Scope.BRIEFS_WRITE: "briefs_write",
    Scope.ISSUES_READ: "issues_read",
    Scope.ISSUES_EDIT: "issues_edit",
    Scope.ISSUES_APPROVE: "issues_approve",
    Scope.READERS_READ: "readers_read",
    Scope.READERS_WRITE: "readers_write",
    Scope.EVENTS_READ: "events_read",
    Scope.LOG_READ: "log_read",
    Scope.WEBHOOKS_WRITE: "webhooks_write",
}

Ticked = Annotated[tuple[str, ...], Form()]


@router.get("/{slug}/settings/tokens")
def tokens(request: Request, visit: Own, said: str = "") -> HTMLResponse:
    """Show every token, with what it may do and when it was used last."""
    return _show(request, visit, said="revoked" if said == "revoked" else "")


@router.post("/{slug}/settings/tokens")
def create(
    request: Request,
    visit: OwnFresh,
    name: Annotated[str, Form(max_length=200)] = "",
    scope: Ticked = (),
    newsletter: Ticked = (),
    days: Annotated[int, Form(ge=1, le=LONGEST_LIFETIME.days)] = LIFETIME.days,
) -> Response:
    """Make a token, and show its text this once. An owner may do all that a token may."""
    given = {"called": name, "chosen": scope, "within": newsletter, "days": days}
    known = [one for one in Scope if one.value in scope]
    try:
        made = visit.services.api_tokens.create(
            name,
            known,
            newsletters=None if "*" in newsletter else newsletter,
            lifetime=timedelta(days=days),
            by=visit.actor,
        )
    except NotAllowed as error:
        fault = visit.services.pages.words("settings.refused", reason=error)
        return _show(request, visit, status=409, fault=fault, **given)
    return visit.services.pages.show(request, "token_made", visit=visit, made=made)


@router.post("/{slug}/settings/tokens/{token_id}/revoke")
def revoke(visit: Own, token_id: int, form_key: FormKey) -> Response:
    """Revoke a token: it is refused from now on."""

    def act() -> str:
        visit.services.api_tokens.revoke(token_id, by=visit.actor)
        return f"/{visit.here.slug}/settings/tokens?said=revoked"

    return once(visit, form_key, act)


def _show(request: Request, visit: Visit, *, status: int = 200, **values: Any) -> HTMLResponse:
    shown: dict[str, Any] = {"said": "", "fault": "", "called": "", "chosen": (), "within": ()}
    shown |= {"days": LIFETIME.days, "longest": LONGEST_LIFETIME.days} | values
    services, now = visit.services, visit.now
    found = services.api_tokens.listed()
    return services.pages.show(
        request,
        "tokens",
        status=status,
        visit=visit,
        fresh=visit.signed.is_fresh(now),
        good=[one for one in found if one.is_valid(now)],
        over=[one for one in reversed(found) if not one.is_valid(now)],
        every_scope=_WORDS,
        newsletters={
            one.slug: one.name for one in services.newsletters.values() if not one.week_of
        },
        **shown,
    )
