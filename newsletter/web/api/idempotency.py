"""The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a POST is done once."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from newsletter.services.repeated_requests import KeyReused, StillRunning, StoredAnswer
from newsletter.web.api.access import Caller
from newsletter.web.api.body import JsonRequest
from newsletter.web.api.problems import ApiProblem, invalid

HEADER = "Idempotency-Key"
_KEPT = ("content-type", "location", "etag", "link")  #: of an answer's headers
_RETRY_SECONDS = "1"
_key_in = re.compile(r'"?([!#-~]{1,200})"?').fullmatch

#: How each POST describes the header.
PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A key of your own making, such as a UUID. The same request under the same key "
    "is done once, and answered the same, for 24 hours.",
    "schema": {"type": "string", "pattern": "^[!#-~]{1,200}$"},
}


def key_of(request: JsonRequest) -> str | None:
    """Return the key that a request bears, with or without the quotes of a structured header."""
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST":
        return None
    found = _key_in(given)
    if found is None:
        raise invalid(f"header/{HEADER}", "a key has 1 to 200 visible characters, without quotes")
    return found[1]


async def once(
    request: JsonRequest, caller: Caller, key: str, act: Callable[[], Awaitable[Response]]
) -> Response:
    """Return the answer of `act`, or the one that the same request had before.

    If `act` fails, by an exception or a status of 500 or more, the key is free again.
    """
    repeated = caller.services.repeated
    token = (caller.token.id, caller.bearer)
    begun = await run_in_threadpool(repeated.begin, *token, key, _fingerprint(request))
    match begun:
        case StoredAnswer():
            headers = begun.headers | {"Idempotency-Replayed": "true"}
            return Response(begun.body, begun.status, headers)
        case KeyReused():
            raise ApiProblem("key-reused")
        case StillRunning():
            raise ApiProblem("key-in-use", headers={"Retry-After": _RETRY_SECONDS})
        case reserved:
            pass
    try:
        answer = await act()
    except BaseException:
        await run_in_threadpool(repeated.failed, reserved)
        raise
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        await run_in_threadpool(repeated.failed, reserved)
    else:
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        keep = partial(repeated.answered, reserved, caller.bearer)
        await run_in_threadpool(
            keep, status=answer.status_code, headers=headers, body=bytes(answer.body)
        )
    return answer


def _fingerprint(request: JsonRequest) -> bytes:
    """Return what must be the same for a request to be the same."""
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return head.encode() + request.given
