"""The door for letters to the goodbye address, as SendGrid's Inbound Parse posts them.

Whatever it posts is answered with 200, or it would post it again for days; what it means is
counted. A letter is never kept, and nothing of it is logged.
"""

import hmac
import logging
from base64 import b64decode
from binascii import Error
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException, MultiPartParser

from newsletter.core.unsubscribe_mail import UnsubscribeMail
from newsletter.services.unsubscribe_mail import UnsubscribeByMail

#: SendGrid takes letters of 30 MB at most; anything far above is not SendGrid's.
BODY_LIMIT = 32 * 1024 * 1024
#: Where anybody may post, a letter is a token and a few words.
OPEN_LIMIT = 1024 * 1024

_log = logging.getLogger(__name__)

Reader = Callable[[Mapping[str, str]], UnsubscribeMail]


class _TooLarge(Exception):
    """The post is larger than it may be."""


class _InMemory(MultiPartParser):
    """A parser that writes no attachment to a disk."""

    spool_max_size = BODY_LIMIT


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """Who reads and hears the letters, and who may bring them."""

    farewells: UnsubscribeByMail
    read: Reader
    key: str | None  #: the password in the URL that SendGrid posts to; None: anybody may post


def routes(inbound: Inbound) -> APIRouter:
    """Return the route of the goodbye letters."""
    router, key = APIRouter(), inbound.key

    @router.post("/webhooks/inbound")
    async def letter(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        if key is not None and not _knows(request, key):
            _log.warning("a letter was posted without the key", extra={"action": "inbound.refused"})
            return Response(status_code=403)
        try:
            fields = await _fields(request, OPEN_LIMIT if key is None else BODY_LIMIT)
        except _TooLarge:
            return Response(status_code=413)
        await run_in_threadpool(_hear, inbound, fields)
        return Response(status_code=200)

    return router


def _hear(inbound: Inbound, fields: Mapping[str, str] | None) -> None:
    letter = None if fields is None else inbound.read(fields)
    inbound.farewells.hear(letter, trusted=inbound.key is not None)


def _knows(request: Request, key: str) -> bool:
    """Tell whether the request bears the key, as the password of Basic authentication."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        password = b64decode(credentials).partition(b":")[2]
    except (Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(password, key.encode())


async def _fields(request: Request, limit: int) -> dict[str, str] | None:
    """Return the form's texts, without its files; None if it cannot be read."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return None
    body = _limited(request, limit)
    parser = _InMemory(request.headers, body, max_part_size=limit)
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeError):  # a charset that is none raises the latter
        return None
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    await form.close()
    return texts


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes]:
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > limit:
            raise _TooLarge
        yield part
