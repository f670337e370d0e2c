"""The JSON endpoint of sign-ups, for the scripts of the sites that a newsletter names."""

import json
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from newsletter.core.publication import Newsletter
from newsletter.core.signup import Typed
from newsletter.services.signup import SigningUp
from newsletter.web.public.min_duration import evenly
from newsletter.web.public.signup import evidence_of

_PATH = "/{slug}/subscribe.json"
_LARGEST = 20_000  #: bytes; a sign-up has a few hundred


class _Sheet(BaseModel):
    """What is posted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str
    name: str = ""
    topics: list[str] | None = None  #: none: everything
    timezone: str = ""
    frequency: str = "daily"


def routes(signing_up: SigningUp, *, base_url: str, least_seconds: float) -> APIRouter:
    """Return the routes of the endpoint."""
    router = APIRouter()

    @router.options(_PATH)
    def preflight(slug: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        newsletter = signing_up.newsletter(slug)
        allowed = _cross_origin(newsletter, request)
        if allowed:
            allowed |= {
                "Access-Control-Allow-Headers": "content-type",
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Max-Age": "3600",
            }
        return Response(status_code=204, headers={"Vary": "Origin"} | allowed)

    @router.post(_PATH)
    async def ask(slug: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        newsletter = signing_up.newsletter(slug)
        allowed = {"Vary": "Origin"} | _cross_origin(newsletter, request)
        if not _may_post(newsletter, request, base_url):
            return JSONResponse({"errors": {"origin": "This site may not."}}, 403, allowed)
        body = await _body(request)

        def answer() -> tuple[int, dict[str, Any]]:
            with evenly(least_seconds):
                return _ask(signing_up, newsletter, request, body)

        status, said = await run_in_threadpool(answer)
        return JSONResponse(said, status, allowed)

    return router


def _ask(
    signing_up: SigningUp, newsletter: Newsletter, request: Request, body: bytes | None
) -> tuple[int, dict[str, Any]]:
    if body is None:
        return 413, {"errors": {"body": "This is too long."}}
    try:
        # Pydantic's own reader would take a stray surrogate for a fault of ours.
        sheet = _Sheet.model_validate(json.loads(body))
    except ValidationError as error:
        return 422, {"errors": _errors(error)}
    except (ValueError, RecursionError):
        return 422, {"errors": {"body": "This is not JSON."}}
    typed = Typed(
        email=sheet.email,
        name=sheet.name,
        topics=None if sheet.topics is None else tuple(sheet.topics),
        zone=sheet.timezone,
        frequency=sheet.frequency,
    )
    evidence = evidence_of(request, newsletter, "JSON endpoint")
    faults = signing_up.ask(newsletter, typed, evidence)
    return (422, {"errors": dict(faults)}) if faults else (202, {"status": "look into your mail"})


def _errors(error: ValidationError) -> dict[str, str]:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return {str(one["loc"][0]) if one["loc"] else "body": one["msg"] for one in found}


def _cross_origin(newsletter: Newsletter, request: Request) -> dict[str, str]:
    """Return what lets a named site's script read the answer."""
    origin = request.headers.get("origin")
    named = origin is not None and origin in newsletter.signup.allow_origins
    return {"Access-Control-Allow-Origin": cast("str", origin)} if named else {}


def _may_post(newsletter: Newsletter, request: Request, base_url: str) -> bool:
    # A server's own program names no origin; a browser always does, across sites.
    origin = request.headers.get("origin")
    return origin is None or origin == base_url or origin in newsletter.signup.allow_origins


async def _body(request: Request) -> bytes | None:
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > _LARGEST:
            return None
    return bytes(received)
