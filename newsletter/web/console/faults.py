"""Answers to what could not be done: always says whether something was changed."""

import logging
from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.datastructures import URL
from starlette.exceptions import HTTPException

from newsletter.adapters.clock import new_id
from newsletter.core.console_address import is_console_origin
from newsletter.errors import ReasonNeeded
from newsletter.web.console.access import NotPermitted
from newsletter.web.console.dependencies import console_services_of
from newsletter.web.console.policy import HEADERS
from newsletter.web.console.reasons import ask_for_reason, lacks_reason_only
from newsletter.web.headers import add_security_headers
from newsletter.web.sentences import sentence

_RETRY_SECONDS = "5"

_log = logging.getLogger(__name__)


def sign_in_needed(request: Request, _error: Exception) -> Response:
    """Lead to the sign-in page, and from there back to what was asked for."""
    return _elsewhere(request, "/sign-in")


def confirmation_needed(request: Request, _error: Exception) -> Response:
    return _elsewhere(request, "/confirm")


def _elsewhere(request: Request, path: str) -> Response:
    back = _path_of(request.url) if request.method == "GET" else _page_of(request)
    target = f"{path}?then={quote(back)}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


def _page_of(request: Request) -> str:
    """Return the path of the page a form was on, without what it said had been done."""
    page = URL(request.headers.get("referer", "")).remove_query_params("said")
    origin, ours = f"{page.scheme}://{page.netloc}", console_services_of(request).url
    is_ours = is_console_origin(origin, ours, request.headers.get("host", ""))
    return _path_of(page) if is_ours else "/"


def _path_of(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def not_permitted(request: Request, error: Exception) -> Response:
    """Say who can do it: whoever asks has to ask somebody."""
    assert isinstance(error, NotPermitted)
    services = console_services_of(request)
    who = services.who_may(error.permission, request.path_params.get("slug"))
    names = ", ".join(who) or services.pages.words("fault.nobody")
    needs = services.pages.words(f"permission.{error.permission}")
    return _fault(request, "forbidden", 403, needs=needs, who=names)


def not_found(request: Request, _error: Exception) -> Response:
    return _fault(request, "not_found", 404)


async def reason_needed(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReasonNeeded)
    return await ask_for_reason(request)


async def invalid(request: Request, error: Exception) -> Response:
    """Answer a form that lacks a field, or has too much in one; of an address, it is not there."""
    assert isinstance(error, RequestValidationError)
    if lacks_reason_only(error):
        return await ask_for_reason(request)
    if any(one["loc"][0] != "body" for one in error.errors()):
        return not_found(request, error)
    return _fault(request, "invalid", 422)


def busy(request: Request, error: Exception) -> Response:
    """Answer for a database that did not answer in time, or undid this for another change."""
    reason = type(error.__cause__ or error).__name__
    _log.warning("the database did not answer in time: %s", reason, extra={"action": "web.busy"})
    page = _fault(request, "busy", 503)
    page.headers["Retry-After"] = _RETRY_SECONDS
    return page


def not_allowed(request: Request, error: Exception) -> Response:
    """Say in the service's own words why it was not done."""
    return _fault(request, "not_allowed", 409, reason=sentence(str(error)))


def refused(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: a path, a method, a body that is too large."""
    assert isinstance(error, HTTPException)
    name = "not_found" if error.status_code == HTTPStatus.NOT_FOUND else "refused"
    page = _fault(request, name, error.status_code)
    page.headers.update(error.headers or {})
    return page


def failed(request: Request, error: Exception) -> Response:
    """Return the page for an unexpected error, with the number that the log has, too."""
    number = new_id()[:8]
    _log.error("the console failed: %s", number, exc_info=error)
    page = _fault(request, "failed", 500, number=number)
    add_security_headers(page.headers, HEADERS)
    return page


def _fault(request: Request, name: str, status: int, **fields: object) -> Response:
    pages = console_services_of(request).pages
    heading = pages.words(f"fault.{name}_heading")
    sentences = [pages.words(f"fault.{name}", **fields)]
    return pages.show(request, "fault", status=status, heading=heading, sentences=sentences)
