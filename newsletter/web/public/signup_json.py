"""The JSON endpoint of sign-ups, for the scripts of the sites that a newsletter allows."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from newsletter.core.publication import Newsletter
from newsletter.core.signup import SignUpForm
from newsletter.web.body_limit import read_body
from newsletter.web.dependencies import Services, SignUpNewsletter, WebServices
from newsletter.web.min_duration import min_duration
from newsletter.web.public.signup import proof_of
from subscribers.signup.service import meant_address

_PATH = "/{slug}/subscribe.json"
_LONGEST_BODY = 20_000  #: bytes; a sign-up has a few hundred

router = APIRouter()


class JsonSignUp(BaseModel):
    """The sign-up as it is posted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str
    name: str = ""
    topics: list[str] | None = None  #: None: everything
    timezone: str = ""
    frequency: str = "daily"

    def typed(self) -> SignUpForm:
        return SignUpForm(
            email=self.email,
            name=self.name,
            topics=None if self.topics is None else tuple(self.topics),
            zone=self.timezone,
            frequency=self.frequency,
        )


@router.options(_PATH)
def preflight(newsletter: SignUpNewsletter, request: Request) -> Response:
    """Answer the preflight of a script on another site."""
    allowed = _cross_origin(newsletter, request)
    if allowed:
        allowed |= {
            "Access-Control-Allow-Headers": "content-type",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Max-Age": "3600",
        }
    return Response(status_code=204, headers={"Vary": "Origin"} | allowed)


@router.post(_PATH)
async def sign_up(newsletter: SignUpNewsletter, request: Request, services: Services) -> Response:
    """Take a sign-up from a script."""
    headers = {"Vary": "Origin"} | _cross_origin(newsletter, request)
    if not _may_post(newsletter, request, services.public_url):
        refusal = {"errors": {"origin": "This site may not sign people up."}}
        return JSONResponse(refusal, 403, headers)
    body = await read_body(request, _LONGEST_BODY)
    status, content = await run_in_threadpool(_sign_up, services, newsletter, request, body)
    return JSONResponse(content, status, headers)


def _sign_up(
    services: WebServices, newsletter: Newsletter, request: Request, body: bytes | None
) -> tuple[int, dict[str, Any]]:  # status and content
    with min_duration(services.min_seconds):
        if body is None:
            return 413, {"errors": {"body": "This is too long."}}
        try:
            # Pydantic's own JSON reader would raise an unexpected error on a stray surrogate.
            posted = JsonSignUp.model_validate(json.loads(body))
        except ValidationError as error:
            return 422, {"errors": _errors(error)}
        except (ValueError, RecursionError):
            return 422, {"errors": {"body": "This is not JSON."}}
        proof = proof_of(request, newsletter, "JSON endpoint")
        errors = services.signup.request(newsletter, posted.typed(), proof)
        if errors:
            return 422, {"errors": dict(errors)}
        meant = meant_address(posted.email)
        return 202, {"status": "check your email"} | ({"did_you_mean": meant} if meant else {})


def _errors(error: ValidationError) -> dict[str, str]:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return {str(one["loc"][0]) if one["loc"] else "body": one["msg"] for one in found}


def _cross_origin(newsletter: Newsletter, request: Request) -> dict[str, str]:
    """Return the header that lets the script of an allowed site read the answer."""
    origin = request.headers.get("origin", "")
    allowed = origin in newsletter.signup.allow_origins
    return {"Access-Control-Allow-Origin": origin} if allowed else {}


def _may_post(newsletter: Newsletter, request: Request, public_url: str) -> bool:
    # A server's own program sends no origin; a browser always does, across sites.
    return request.headers.get("origin") in (None, public_url, *newsletter.signup.allow_origins)
