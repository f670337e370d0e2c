"""A new link for who followed one that does not work: mailed, and answered alike for everybody."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from newsletter.web.dependencies import Services, WebServices
from newsletter.web.min_duration import min_duration
from newsletter.web.pages import READ
from newsletter.web.public.links import ip_of
from subscribers.errors import InvalidAddress
from subscribers.signup.service import check_address

_PATH = "/new-link"
_FORM = "new link"  #: what its form token is made for; no newsletter has a blank in its slug

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route(_PATH, methods=READ)
def show_form(services: Services) -> HTMLResponse:
    """Ask for the address that a new link is to be mailed to."""
    return _form(services)


@router.post(_PATH)
def send_link(
    request: Request,
    services: Services,
    email: Annotated[str, Form()] = "",
    form_token: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Mail a new link, if there is anybody to mail it to."""
    try:
        check_address(email)
    except InvalidAddress as error:
        return _form(services, email=email, error=f"Please check the address: {_reason(error)}.")
    if not services.form_tokens.is_fresh(_FORM, form_token):
        return _form(services, email=email, press_again=True)
    with min_duration(services.min_seconds), suppress(InvalidAddress):
        services.signup.request_link(email, ip_of(request))
    return services.pages.show("new_link_sent", email=email.strip())


def _reason(error: InvalidAddress) -> str:
    return str(error).removeprefix("not an address: ").removesuffix(".")


def _form(
    services: WebServices, *, email: str = "", error: str = "", press_again: bool = False
) -> HTMLResponse:
    return services.pages.show(
        "new_link",
        status=422 if error else 200,
        email=email,
        error=error,
        press_again=press_again,
        form_token=services.form_tokens.make(_FORM),
    )
