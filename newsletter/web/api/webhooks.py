"""Webhooks: where events are posted to, and what came of it.

A token for some newsletters sees and keeps the endpoints that are about these only.
"""

from dataclasses import replace

from fastapi import Response

from newsletter.core.api_token import Scope
from newsletter.core.webhook import NewEndpoint, WebhookEndpoint
from newsletter.errors import NotFound
from newsletter.web.api.access import Caller, WriteWebhooks
from newsletter.web.api.cursors import Part
from newsletter.web.api.openapi import problem_response
from newsletter.web.api.preconditions import IfMatch, etag_of, matched
from newsletter.web.api.problems import invalid
from newsletter.web.api.readers_here import version_of
from newsletter.web.api.route import PREFIX, api_router
from newsletter.web.api.schemas import ListPage, PathId
from newsletter.web.api.webhook_schemas import (
    AddedWebhook,
    NewWebhook,
    WebhookDeliveryItem,
    WebhookItem,
    WebhookPatch,
)

router = api_router()

_ONE = "/webhooks/{webhook_id}"


@router.get("/webhooks")
def webhooks(caller: WriteWebhooks, part: Part) -> ListPage[WebhookItem]:
    """List the endpoints, the newest first."""
    found = [one for one in caller.services.webhooks.endpoints() if _sees(caller, one)]
    return part.page_of_all("webhooks", found, show=WebhookItem.of, key=lambda one: one.id)


@router.get(_ONE)
def webhook(response: Response, caller: WriteWebhooks, webhook_id: PathId) -> WebhookItem:
    """Return one endpoint; its ETag is what `If-Match` takes."""
    return _shown(response, _here(caller, webhook_id))


@router.post("/webhooks", status_code=201)
def add(response: Response, caller: WriteWebhooks, given: NewWebhook) -> AddedWebhook:
    """Add an endpoint, and show its secret this once."""
    new = NewEndpoint(
        name=given.name,
        url=given.url,
        events=frozenset(given.events),
        newsletters=_newsletters(caller, given.newsletters),
        addresses=given.addresses,
    )
    _require_addresses(caller, new)
    added, secret = caller.services.webhooks.add(new, actor=caller.actor)
    response.headers["Location"] = f"{PREFIX}/webhooks/{added.id}"
    return AddedWebhook(webhook=_shown(response, added), secret=secret)


@router.patch(_ONE)
def change(
    response: Response,
    caller: WriteWebhooks,
    webhook_id: PathId,
    patch: WebhookPatch,
    if_match: IfMatch = None,
) -> WebhookItem:
    """Change an endpoint, pause it or let it go on; while it is paused its events wait."""
    before = _here(caller, webhook_id)
    matched(if_match, version_of(WebhookItem.of(before)))
    after = _patched(caller, before, patch)
    _require_addresses(caller, after)
    state = patch.state if "state" in patch.model_fields_set else None
    changed = caller.services.webhooks.change(
        webhook_id, after, actor=caller.actor, read=before, state=state, because=patch.because
    )
    return _shown(response, changed)


@router.delete(_ONE, status_code=204)
def remove(caller: WriteWebhooks, webhook_id: PathId) -> None:
    """Remove an endpoint, with what was still to be posted to it."""
    _here(caller, webhook_id)
    caller.services.webhooks.remove(webhook_id, actor=caller.actor)


@router.post(f"{_ONE}/test")
def test(caller: WriteWebhooks, webhook_id: PathId) -> WebhookDeliveryItem:
    """Post a ping to an endpoint now, even to a paused one; the answer says what came of it."""
    _here(caller, webhook_id)
    found = caller.services.webhooks.test(webhook_id, actor=caller.actor)
    return WebhookDeliveryItem.of(found)


@router.post(f"{_ONE}/rotate")
def rotate(response: Response, caller: WriteWebhooks, webhook_id: PathId) -> AddedWebhook:
    """Give an endpoint another secret, and show it this once; for a day both sign."""
    _here(caller, webhook_id)
    secret = caller.services.webhooks.rotate(webhook_id, actor=caller.actor)
    shown = _shown(response, caller.services.webhooks.endpoint(webhook_id))
    return AddedWebhook(webhook=shown, secret=secret)


@router.get(f"{_ONE}/deliveries")
def deliveries(
    caller: WriteWebhooks, part: Part, webhook_id: PathId
) -> ListPage[WebhookDeliveryItem]:
    """List what was posted to an endpoint lately, or waits to be: the last hundred."""
    _here(caller, webhook_id)
    found = caller.services.webhooks.deliveries(webhook_id)
    show = WebhookDeliveryItem.of
    return part.page_of_all("deliveries", found, show=show, key=lambda one: one.id)


@router.post(
    f"{_ONE}/deliveries/{{delivery_id}}/send-again",
    responses={409: problem_response(409)},
)
def send_again(
    caller: WriteWebhooks, webhook_id: PathId, delivery_id: PathId
) -> WebhookDeliveryItem:
    """Have an event posted once more, under its old id."""
    _here(caller, webhook_id)
    found = caller.services.webhooks.send_again(webhook_id, delivery_id, actor=caller.actor)
    return WebhookDeliveryItem.of(found)


def _sees(caller: Caller, one: WebhookEndpoint) -> bool:
    """Return whether all that is posted there is of newsletters that the token sees."""
    if caller.token.newsletters is None:
        return True
    return bool(one.newsletters) and one.newsletters <= caller.slugs


def _here(caller: Caller, webhook_id: int) -> WebhookEndpoint:
    found = caller.services.webhooks.endpoint(webhook_id)
    if not _sees(caller, found):
        raise NotFound(f"there is no webhook endpoint {webhook_id}")
    return found


def _shown(response: Response, one: WebhookEndpoint) -> WebhookItem:
    shown = WebhookItem.of(one)
    response.headers["ETag"] = etag_of(version_of(shown))
    return shown


def _newsletters(caller: Caller, given: list[str] | None) -> frozenset[str]:
    """Return what an endpoint is about; none stands for all, which not every token may have."""
    if given:
        if strange := sorted(set(given) - caller.slugs):
            raise invalid("#/newsletters", f"the token sees no newsletter {strange[0]!r}")
        return frozenset(given)
    return frozenset() if caller.token.newsletters is None else caller.slugs


def _patched(caller: Caller, before: WebhookEndpoint, patch: WebhookPatch) -> NewEndpoint:
    changes = patch.model_dump(exclude_unset=True, exclude={"state", "because"})
    if "events" in changes:
        changes["events"] = frozenset(patch.events)
    if "newsletters" in changes:
        changes["newsletters"] = _newsletters(caller, patch.newsletters)
    return replace(before, **changes)


def _require_addresses(caller: Caller, new: NewEndpoint) -> None:
    """Refuse a token that may not see readers an endpoint that is told their addresses."""
    if new.addresses:
        caller.require(Scope.READERS_READ)
