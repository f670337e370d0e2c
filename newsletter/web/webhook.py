"""The event webhook's door: the raw bytes go to the service, a short answer comes back."""

import logging

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from newsletter.core.events import EventKind
from newsletter.errors import EventNotAuthentic
from newsletter.ports import StoredEvents
from newsletter.services.event_intake import EventIntake

#: SendGrid posts up to 768 KB at a time; anything far above is not SendGrid.
BODY_LIMIT = 8 * 1024 * 1024

_log = logging.getLogger(__name__)


def routes(feedback: EventIntake) -> APIRouter:
    """Return the webhook's routes."""
    router = APIRouter()

    @router.post("/webhooks/sendgrid")
    async def events(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            kept = await run_in_threadpool(feedback.accept, body, headers)
        except EventNotAuthentic as error:
            _log.warning(
                "a webhook post was refused: %s", error, extra={"action": "webhook.refused"}
            )
            return Response(status_code=403)
        _log_account_changes(kept)
        return Response(status_code=204)

    return router


def _log_account_changes(kept: StoredEvents) -> None:
    for event in kept.new:
        if event.kind is EventKind.ACCOUNT_CHANGED:
            _log.error("SendGrid changed how our account stands: %s", event.raw.get("type"))


async def _body(request: Request) -> bytes | None:
    """Return the whole body, or None once it is larger than any of SendGrid's."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > BODY_LIMIT:
            return None
    return bytes(received)
