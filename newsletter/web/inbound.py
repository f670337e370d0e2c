"""Mail to the unsubscribe address, as SendGrid's Inbound Parse posts it.

Any mail is answered with 200, since SendGrid would post it again for days; the outcome is counted.
Nothing of a mail is stored or logged.
"""

import logging
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.formparsers import MultiPartException, MultiPartParser

from newsletter.web.body_limit import TooLarge, limited
from newsletter.web.dependencies import Services, WebServices
from newsletter.web.secret_keys import is_one_of

#: SendGrid accepts mails of 30 MB at most; anything far above does not come from SendGrid.
BODY_LIMIT = 32 * 1024 * 1024
#: Where anybody may post, a mail is a token and a few words.
OPEN_LIMIT = 1024 * 1024

_log = logging.getLogger(__name__)

router = APIRouter()


class _InMemory(MultiPartParser):
    """A parser that writes no attachment to a disk."""

    spool_max_size = BODY_LIMIT


@router.post("/webhooks/inbound")
async def receive_mail(request: Request, services: Services) -> Response:
    """Receive mail to the unsubscribe address, from SendGrid's Inbound Parse."""
    key = services.inbound_key
    if key is not None and not _has_key(request, key):
        _log.warning("a mail was posted without the key", extra={"action": "inbound.refused"})
        return Response(status_code=403)
    try:
        fields = await _fields(request, OPEN_LIMIT if key is None else BODY_LIMIT)
    except TooLarge:
        return Response(status_code=413)
    limiter = request.app.state.unsubscribe_limiter
    await to_thread.run_sync(_receive, services, fields, limiter=limiter)
    return Response(status_code=200)


def _receive(services: WebServices, fields: Mapping[str, str] | None) -> None:
    mail = None if fields is None else services.read_mail(fields)
    services.unsubscribe_by_mail.receive(mail, trusted=services.inbound_key is not None)


def _has_key(request: Request, key: str) -> bool:
    """Return whether the request carries the key as the password of Basic authentication."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        password = b64decode(credentials).partition(b":")[2]
    except (Error, ValueError):
        return False
    return scheme.lower() == "basic" and is_one_of(password, key)


async def _fields(request: Request, limit: int) -> dict[str, str] | None:
    """Return the form's texts, without its files; None if it cannot be read."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return None
    parser = _InMemory(request.headers, limited(request, limit), max_part_size=limit)
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeError):  # an unknown charset raises the latter
        return None
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    await form.close()
    return texts
