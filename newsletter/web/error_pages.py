"""What an answer that is no page says is wrong: a page for people, JSON for programs."""

import hmac
import math
from datetime import timedelta
from typing import NamedTuple

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from newsletter.web.dependencies import services_of
from subscribers.errors import TooManyRequests


class _Wording(NamedTuple):
    title: str
    sentence: str


#: By status; one that is not here is said in the words of 400.
_WORDINGS = {
    400: _Wording(
        "We could not read that.",
        "The request arrived broken, so nothing was changed. Please go back and try again.",
    ),
    404: _Wording(
        "There is nothing here.",
        "The address may have a typo in it, or what was here is gone.",
    ),
    405: _Wording(
        "This does not work like that.",
        "The address is right, but it cannot be asked for in this way. Nothing was changed.",
    ),
    413: _Wording(
        "That was too long.",
        "It is more than we take at once, so nothing was changed. Please go back and shorten it.",
    ),
    422: _Wording(
        "Something in the form is wrong.",
        "Nothing was changed. Please go back, check what you filled in, and send it again.",
    ),
    429: _Wording(
        "Please wait a little.",
        "Too many emails were asked for from your network, so none was sent this time.",
    ),
    500: _Wording("Something went wrong.", "This is our fault. Please try again in a few minutes."),
    503: _Wording(
        "Try again in a moment.",
        "We could not do this just now, and nothing was changed. Please try again in a few "
        "seconds.",
    ),
}
_JSON_SIGN_UP = "/subscribe.json"


def error_answer(request: Request, status: int, more: str = "") -> Response:
    """Return what says what is wrong; `more` is another sentence."""
    title, sentence = _WORDINGS.get(status, _WORDINGS[400])
    sentence = f"{sentence} {more}".rstrip()
    if wants_json(request):
        return JSONResponse({"errors": {"request": sentence}}, status)
    return services_of(request).pages.show("error", status=status, title=title, sentence=sentence)


def wants_json(request: Request) -> bool:
    """Return whether a program asks, by what it sends or by what it says that it accepts."""
    accepted = request.headers.get("accept", "")
    sent = request.headers.get("content-type", "")
    if "text/html" in accepted:
        return False
    is_json = "json" in accepted or sent.startswith("application/json")
    return is_json or request.url.path.endswith(_JSON_SIGN_UP)


def not_found(request: Request, _error: Exception) -> Response:
    return error_answer(request, 404)


def invalid(request: Request, error: Exception) -> Response:
    """Return 404 for an address such as /technology/not-a-date, and 422 for a form."""
    assert isinstance(error, RequestValidationError)
    in_path = any(one["loc"][0] == "path" for one in error.errors())
    return error_answer(request, 404 if in_path else 422)


def invalid_link(request: Request, _error: Exception) -> Response:
    """Return 404 for a link that opens nothing, and to the doctor's own how it arrived."""
    if _is_doctors(request):
        return JSONResponse({"doctor": request.method, "changed": False})
    if wants_json(request):
        return JSONResponse({"errors": {"request": "This link does not work."}}, 404)
    return services_of(request).pages.show("invalid_link", status=404)


def _is_doctors(request: Request) -> bool:
    """Return whether the link is what `newsletter doctor` made to see how links arrive."""
    token = str(request.path_params.get("token", ""))
    own = services_of(request).doctor_token()
    return bool(own) and hmac.compare_digest(token.encode(), own.encode())


def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = error_answer(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def too_many(request: Request, error: Exception) -> Response:
    """Return 429 for a network that asked for too many emails."""
    assert isinstance(error, TooManyRequests)
    answer = error_answer(request, 429, try_again(error.wait))
    answer.headers["Retry-After"] = retry_after(error.wait)
    return answer


def retry_after(wait: timedelta) -> str:
    return str(max(math.ceil(wait.total_seconds()), 1))


def try_again(wait: timedelta) -> str:
    """Return when to try again, in a sentence that rounds up."""
    minutes = max(math.ceil(wait / timedelta(minutes=1)), 1)
    if minutes > 90:  # noqa: PLR2004  # after that, people think in hours
        return f"Please try again in {math.ceil(minutes / 60)} hours."
    return f"Please try again in {minutes} minute{'' if minutes == 1 else 's'}."
