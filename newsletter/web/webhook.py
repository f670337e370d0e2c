"""SendGrid's event webhook."""

import logging

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from newsletter.errors import EventNotAuthentic
from newsletter.web.dependencies import Services

#: SendGrid posts up to 768 KB at a time; anything far above does not come from SendGrid.
BODY_LIMIT = 8 * 1024 * 1024

_log = logging.getLogger(__name__)

router = APIRouter()


@router.post("/webhooks/sendgrid")
async def receive_events(request: Request, services: Services) -> Response:
    """Receive SendGrid's signed delivery events."""
    body = await _body(request)
    if body is None:
        return Response(status_code=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        await to_thread.run_sync(
            services.event_intake.receive, body, headers, limiter=request.app.state.webhook_limiter
        )
    except EventNotAuthentic as error:
        _log.warning("a webhook post was refused: %s", error, extra={"action": "webhook.refused"})
        return Response(status_code=403)
    return Response(status_code=204)


async def _body(request: Request) -> bytes | None:
    """Return the body, or None once it is larger than the limit."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)
