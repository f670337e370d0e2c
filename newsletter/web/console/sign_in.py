"""Signing in and out, by passkey, by password and code, by a link, or by an invitation.

The company's own sign-in is in `provider`.

A link's GET changes nothing, since mail scanners follow links; its page has a button.
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from newsletter.core.sign_in import (
    PasskeyOptions,
    PasswordAccepted,
    SignInAccepted,
    SignInRefused,
    Wait,
)
from newsletter.services.signing_in import SignInResult
from newsletter.web.console.access import (
    SignedInVisit,
    Visit,
    cookie_name,
    network_address,
)
from newsletter.web.console.dependencies import ConsoleServices, console_services_of
from newsletter.web.declared_routes import ANYONE

router = APIRouter()

Field = Annotated[str, Form()]
Then = Annotated[str, Form()]


@router.get("/sign-in", dependencies=[ANYONE])
def sign_in(request: Request, then: str = "/") -> Response:
    """Show the ways to sign in."""
    return sign_in_page(request, "sign_in", then=then)


@router.post("/sign-in/passkey/options", dependencies=[ANYONE])
def passkey_options(request: Request) -> JSONResponse:
    """Return what the browser is to ask of a passkey."""
    return options_answer(console_services_of(request).signing_in.passkey_options())


@router.post("/sign-in/passkey", dependencies=[ANYONE])
def by_passkey(request: Request, ticket: Field, answer: Field, then: Then = "/") -> Response:
    """Sign in with what the passkey answered."""
    result = console_services_of(request).signing_in.by_passkey(
        ticket, answer, address=network_address(request), device=device(request)
    )
    return signed_in_answer(request, result, "sign_in", then=then)


@router.post("/sign-in/password", dependencies=[ANYONE])
def by_password(request: Request, email: Field, password: Field, then: Then = "/") -> Response:
    """Check the password, and ask for a code."""
    signing_in = console_services_of(request).signing_in
    result = signing_in.by_password(email, password, address=network_address(request))
    if isinstance(result, PasswordAccepted):
        return sign_in_page(request, "sign_in_code", then=then, pending=result.pending)
    return sign_in_page(request, "sign_in", then=then, email=email, said=result, status=422)


@router.post("/sign-in/code", dependencies=[ANYONE])
def by_code(request: Request, pending: Field, code: Field, then: Then = "/") -> Response:
    """Sign in with a code of the app, or a recovery code."""
    result = console_services_of(request).signing_in.by_code(
        pending, code, address=network_address(request), device=device(request)
    )
    return signed_in_answer(request, result, "sign_in_code", then=then, pending=pending)


@router.get("/sign-in/link/{token}", dependencies=[ANYONE])
def link(request: Request, token: str) -> Response:
    """Show the button that signs in."""
    return sign_in_page(request, "sign_in_link", token=token, then="/")


@router.post("/sign-in/link/{token}", dependencies=[ANYONE])
def by_link(request: Request, token: str) -> Response:
    """Sign in with a link that the command line printed."""
    result = console_services_of(request).signing_in.by_link(
        token, address=network_address(request), device=device(request)
    )
    return signed_in_answer(request, result, "sign_in", then="/")


@router.get("/invitation/{token}", dependencies=[ANYONE])
def invitation(request: Request, token: str) -> Response:
    """Show whom an invitation is for, and a button that accepts it."""
    invited = console_services_of(request).staff_accounts.invitation(token)
    status = 200 if invited else 404
    return sign_in_page(
        request, "invitation", token=token, invited=invited, status=status, then="/"
    )


@router.post("/invitation/{token}", dependencies=[ANYONE])
def accept(request: Request, token: str, name: Field) -> Response:
    """Accept an invitation: its person is signed in, and chooses how to sign in from now on."""
    result = console_services_of(request).staff_accounts.accept(
        token, name, address=network_address(request), device=device(request)
    )
    return signed_in_answer(request, result, "sign_in", then="/account?new=1")


@router.get("/confirm")
def confirm(request: Request, visit: SignedInVisit, then: str = "/") -> Response:
    """Ask whoever is signed in to show that they are still there."""
    return sign_in_page(request, "confirm", then=then, **confirm_values(visit))


@router.post("/confirm/passkey/options")
def confirm_options(visit: SignedInVisit) -> JSONResponse:
    """Return what the browser is to ask of a passkey, once more."""
    return options_answer(visit.services.signing_in.confirm_options(visit.signed))


@router.post("/confirm/passkey")
def confirm_by_passkey(
    request: Request, visit: SignedInVisit, ticket: Field, answer: Field, then: Then = "/"
) -> Response:
    """Make the session fresh by a passkey."""
    result = visit.services.signing_in.confirm_by_passkey(visit.signed, visit.token, ticket, answer)
    return signed_in_answer(request, result, "confirm", then=then, **confirm_values(visit))


@router.post("/confirm/password")
def confirm_by_password(
    request: Request, visit: SignedInVisit, password: Field, code: Field, then: Then = "/"
) -> Response:
    """Make the session fresh by password and code."""
    result = visit.services.signing_in.confirm_by_password(
        visit.signed, visit.token, password, code, address=visit.address
    )
    return signed_in_answer(request, result, "confirm", then=then, **confirm_values(visit))


@router.post("/sign-out")
def sign_out(visit: SignedInVisit) -> Response:
    """End the session."""
    visit.services.sessions.end(visit.token)
    return end_cookie(visit.services)


def confirm_values(visit: Visit) -> dict[str, Any]:
    """Return what the page of a confirmation shows of its person."""
    linked = visit.services.credentials.of(visit.signed).identity
    return {"member": visit.member, "linked": linked}


def options_answer(asked: PasskeyOptions) -> JSONResponse:
    """Return a passkey's options as the console's script reads them."""
    return JSONResponse({"ticket": asked.ticket, "options": json.loads(asked.options)})


def device(request: Request) -> str:
    return request.headers.get("user-agent", "")


def own_path(then: str) -> str:
    """Return a path of the console to go on to; "/" for anything that could lead elsewhere."""
    is_own = then.startswith("/") and not then.startswith(("//", "/\\")) and then.isprintable()
    return then if is_own else "/"


def signed_in_answer(
    request: Request, result: SignInResult, page: str, *, then: str, **values: Any
) -> Response:
    """Set the session's cookie and go on; or show the page again, with what was said."""
    if not isinstance(result, SignInAccepted):
        return sign_in_page(request, page, then=then, said=result, status=422, **values)
    answer = RedirectResponse(own_path(then), status_code=303)
    set_session(console_services_of(request), answer, result.token)
    return answer


def end_cookie(services: ConsoleServices) -> Response:
    """Lead to the sign-in page, and take the session's token from the browser."""
    answer = RedirectResponse("/sign-in", status_code=303)
    name, secure = cookie_name(services.url), is_https(services)
    answer.delete_cookie(name, secure=secure, httponly=True, samesite="lax")
    return answer


def set_session(services: ConsoleServices, answer: Response, token: str) -> None:
    """Give the browser the session's token; a session cookie, which scripts cannot read."""
    answer.set_cookie(
        cookie_name(services.url),
        token,
        httponly=True,
        samesite="lax",
        secure=is_https(services),
    )


def is_https(services: ConsoleServices) -> bool:
    return services.url.startswith("https://")


def sign_in_page(
    request: Request,
    name: str,
    *,
    then: str,
    said: SignInRefused | Wait | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    """Return a page of somebody who is not, or not freshly, signed in."""
    services = console_services_of(request)
    pages, provider = services.pages, services.provider_name
    if isinstance(said, Wait):
        minutes = max(1, round((said.until - services.now()).total_seconds() / 60))
        sentence = str(pages.words("sign_in.wait", count=minutes))
    else:
        sentence = said.sentence if said else ""
    values = {"email": "", "member": None, "pending": "", "provider": provider, **values}
    return pages.show(request, name, status=status, then=own_path(then), said=sentence, **values)
