"""Webhooks, at a newsletter's settings: owners add endpoints, and see what was posted to each."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.webhook import (
    CHOICES,
    NAME_LENGTH,
    NewEndpoint,
    WebhookEndpoint,
    WebhookEventKind,
)
from newsletter.errors import ConfirmationNeeded, NotAllowed
from newsletter.web.console.access import Own, OwnFresh, Visit
from newsletter.web.console.acts import Because, FormKey, once
from newsletter.web.sentences import sentence

router = APIRouter()

#: What was done, as an address says it; each has a sentence.
_SAID = frozenset({"paused", "resumed", "again", "removed", "taken", "failed"})

#: What can be chosen, with the name of its sentence.
_EVENTS = {
    WebhookEventKind.BRIEF_HELD: "brief_held",
    WebhookEventKind.ISSUE_DRAFTED: "issue_drafted",
    WebhookEventKind.ISSUE_APPROVED: "issue_approved",
    WebhookEventKind.ISSUE_LEFT: "issue_left",
    WebhookEventKind.ISSUE_PAUSED: "issue_paused",
    WebhookEventKind.READER_JOINED: "reader_joined",
    WebhookEventKind.READER_LEFT: "reader_left",
    WebhookEventKind.BATCH_UNKNOWN: "batch_unknown",
    WebhookEventKind.DOUBLING_FOUND: "doubling_found",
}

Ticked = Annotated[tuple[str, ...], Form()]


@router.get("/{slug}/settings/webhooks")
def endpoints(request: Request, visit: Own, said: str = "") -> HTMLResponse:
    """List the endpoints, and offer to add one."""
    return _list(request, visit, said=said if said in _SAID else "")


@router.post("/{slug}/settings/webhooks")
def add(
    request: Request,
    visit: OwnFresh,
    name: Annotated[str, Form(max_length=2 * NAME_LENGTH)],
    url: Annotated[str, Form(max_length=4_000)],
    event: Ticked = (),
    newsletter: Ticked = (),
    addresses: Annotated[bool, Form()] = False,
) -> Response:
    """Add an endpoint, and show its secret this once."""
    typed: dict[str, Any] = {"called": name, "url": url, "events": event, "chosen": newsletter}
    try:
        wanted = NewEndpoint(
            name=name.strip(),
            url=url.strip(),
            events=frozenset(one for one in CHOICES if one in event),
            newsletters=frozenset(newsletter),
            addresses=addresses,
        )
        added, secret = visit.services.webhooks.add(wanted, actor=visit.actor)
    except NotAllowed as error:
        fault = sentence(str(error))
        return _list(request, visit, status=409, fault=fault, addresses=addresses, **typed)
    return _secret(request, visit, added, secret)


@router.get("/{slug}/settings/webhooks/{endpoint_id}")
def endpoint(request: Request, visit: Own, endpoint_id: int, said: str = "") -> HTMLResponse:
    """Show an endpoint, with what was posted to it lately."""
    return _show(request, visit, endpoint_id, said=said if said in _SAID else "")


@router.post("/{slug}/settings/webhooks/{endpoint_id}/test")
def test(visit: Own, endpoint_id: int, form_key: FormKey) -> RedirectResponse:
    """Post a ping to an endpoint now."""

    def act() -> str:
        found = visit.services.webhooks.test(endpoint_id, actor=visit.actor)
        return _path(visit, endpoint_id, "taken" if found.answer.is_success else "failed")

    return once(visit, form_key, act)


@router.post("/{slug}/settings/webhooks/{endpoint_id}/pause")
def pause(request: Request, visit: Own, endpoint_id: int, because: Because) -> Response:
    """Post nothing to an endpoint for the time being."""

    def act() -> str:
        visit.services.webhooks.pause(endpoint_id, actor=visit.actor, because=because)
        return "paused"

    return _done(request, visit, endpoint_id, act)


@router.post("/{slug}/settings/webhooks/{endpoint_id}/resume")
def resume(request: Request, visit: Own, endpoint_id: int) -> Response:
    """Let a paused endpoint have its events."""

    def act() -> str:
        visit.services.webhooks.resume(endpoint_id, actor=visit.actor)
        return "resumed"

    return _done(request, visit, endpoint_id, act)


@router.post("/{slug}/settings/webhooks/{endpoint_id}/rotate")
def rotate(
    request: Request, visit: OwnFresh, endpoint_id: int, former: Annotated[str, Form()] = ""
) -> Response:
    """Give an endpoint another secret, and show it this once; `former` is what the page showed.

    A page that is loaded again would otherwise replace the secret that the other side still has.
    """
    found = visit.services.webhooks.endpoint(endpoint_id)
    if former != _former(found):
        fault = visit.services.pages.words("webhooks.rotated_already")
        return _show(request, visit, endpoint_id, status=409, fault=fault)
    secret = visit.services.webhooks.rotate(endpoint_id, actor=visit.actor)
    return _secret(request, visit, visit.services.webhooks.endpoint(endpoint_id), secret)


@router.post("/{slug}/settings/webhooks/{endpoint_id}/remove")
def remove(visit: OwnFresh, endpoint_id: int, form_key: FormKey) -> RedirectResponse:
    """Remove an endpoint."""

    def act() -> str:
        visit.services.webhooks.remove(endpoint_id, actor=visit.actor)
        return f"/{visit.here.slug}/settings/webhooks?said=removed"

    return once(visit, form_key, act)


@router.post("/{slug}/settings/webhooks/{endpoint_id}/deliveries/{delivery_id}/send-again")
def send_again(request: Request, visit: Own, endpoint_id: int, delivery_id: int) -> Response:
    """Post an event once more, under its old id."""

    def act() -> str:
        visit.services.webhooks.send_again(endpoint_id, delivery_id, actor=visit.actor)
        return "again"

    return _done(request, visit, endpoint_id, act)


def _path(visit: Visit, endpoint_id: int, said: str) -> str:
    return f"/{visit.here.slug}/settings/webhooks/{endpoint_id}?said={said}"


def _former(endpoint: WebhookEndpoint) -> str:
    return endpoint.former_until.isoformat() if endpoint.former_until else ""


def _done(request: Request, visit: Visit, endpoint_id: int, act: Callable[[], str]) -> Response:
    """Act, and lead to the page that says so; or show why it was refused."""
    try:
        return RedirectResponse(_path(visit, endpoint_id, act()), status_code=303)
    except ConfirmationNeeded:
        raise
    except NotAllowed as error:
        return _show(request, visit, endpoint_id, status=409, fault=sentence(str(error)))


def _secret(request: Request, visit: Visit, endpoint: WebhookEndpoint, secret: str) -> HTMLResponse:
    return visit.services.pages.show(
        request, "webhook_secret", visit=visit, endpoint=endpoint, secret=secret
    )


def _list(request: Request, visit: Visit, *, status: int = 200, **values: Any) -> HTMLResponse:
    blank: dict[str, Any] = {"said": "", "fault": "", "called": "", "url": ""}
    blank |= {"events": CHOICES, "chosen": (), "addresses": False}
    return visit.services.pages.show(
        request,
        "webhooks",
        status=status,
        visit=visit,
        endpoints=visit.services.webhooks.endpoints(),
        choices=_EVENTS,
        fresh=visit.signed.is_fresh(visit.now),
        **blank | values,
    )


def _show(
    request: Request, visit: Visit, endpoint_id: int, *, status: int = 200, **values: Any
) -> HTMLResponse:
    found = visit.services.webhooks.endpoint(endpoint_id)
    rotating = found.former_until is not None and visit.now < found.former_until
    return visit.services.pages.show(
        request,
        "webhook",
        status=status,
        visit=visit,
        endpoint=found,
        former=_former(found),
        rotating=rotating,
        events=[one for one in WebhookEventKind if one in found.events],
        deliveries=visit.services.webhooks.deliveries(endpoint_id),
        fresh=visit.signed.is_fresh(visit.now),
        **{"said": "", "fault": ""} | values,
    )
