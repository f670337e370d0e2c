"""One's own ways to sign in: passkeys; a password with an authenticator app; recovery codes.

Every change needs a fresh sign-in. Secrets are shown once, in the answer that makes them.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from newsletter.core.sign_in import TotpEnrolment
from newsletter.errors import NotFound
from newsletter.web.console.access import SignedInFresh, Visit
from newsletter.web.console.account import show_account
from newsletter.web.console.sign_in import options_answer

router = APIRouter()

Field = Annotated[str, Form()]


@router.post("/account/passkeys/options")
def passkey_options(visit: SignedInFresh) -> JSONResponse:
    """Return what the browser is to make a passkey of."""
    return options_answer(visit.services.credentials.passkey_options(visit.signed))


@router.post("/account/passkeys")
def add_passkey(
    request: Request,
    visit: SignedInFresh,
    ticket: Field,
    answer: Field,
    name: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Add the passkey that the browser made."""
    if not visit.services.credentials.add_passkey(visit.signed, ticket, answer, name):
        said = visit.services.pages.words("account.passkey_refused")
        return show_account(request, visit, status=422, fault_of="passkey", fault=said)
    return _back("passkey_added", "passkeys")


@router.post("/account/passkeys/{passkey_id}/remove")
def remove_passkey(visit: SignedInFresh, passkey_id: int) -> Response:
    """Remove a passkey; the only way to sign in stays."""
    if not visit.services.credentials.remove_passkey(visit.signed, passkey_id):
        raise NotFound("there is no such passkey")
    return _back("passkey_removed", "passkeys")


@router.post("/account/provider/unlink")
def unlink_provider(visit: SignedInFresh) -> Response:
    """Unlink the account at the company's own sign-in; the only way to sign in stays."""
    if not visit.services.credentials.unlink_provider(visit.signed):
        raise NotFound("no account is linked")
    return _back("provider_unlinked", "provider")


@router.post("/account/password")
def set_password(request: Request, visit: SignedInFresh, password: Field) -> Response:
    """Set the password; whoever has one already replaces it."""
    if fault := visit.services.credentials.set_password(visit.signed, password):
        said = f"{fault[0].upper()}{fault[1:]}."
        return show_account(request, visit, status=422, fault_of="password", fault=said)
    return _back("password_set", "password")


@router.post("/account/app")
def offer_app(visit: SignedInFresh) -> Response:
    """Make a secret for an authenticator app."""
    visit.services.credentials.offer_totp(visit.signed)
    return RedirectResponse("/account/app", status_code=303)


@router.get("/account/app")
def app(request: Request, visit: SignedInFresh) -> Response:
    """Show the secret that is offered, until a code of it is entered."""
    offered = visit.services.credentials.totp_offered(visit.signed)
    if offered is None:
        return RedirectResponse("/account#app", status_code=303)
    return _show_app(request, visit, offered)


@router.post("/account/app/confirm")
def confirm_app(request: Request, visit: SignedInFresh, code: Field) -> Response:
    """Use the app from now on, and show the recovery codes."""
    codes = visit.services.credentials.confirm_totp(visit.signed, code)
    if codes:
        return _show_codes(request, visit, codes)
    offered = visit.services.credentials.totp_offered(visit.signed)
    if offered is None:
        return RedirectResponse("/account#app", status_code=303)
    fault = visit.services.pages.words("account.code_refused")
    return _show_app(request, visit, offered, status=422, fault=fault)


@router.post("/account/app/remove")
def remove_app(visit: SignedInFresh) -> Response:
    """Remove the app with its recovery codes."""
    visit.services.credentials.remove_totp(visit.signed)
    return _back("app_removed", "app")


@router.post("/account/codes")
def renew_codes(request: Request, visit: SignedInFresh) -> Response:
    """Show new recovery codes; the former ones are void."""
    return _show_codes(
        request, visit, visit.services.credentials.renew_recovery_codes(visit.signed)
    )


def _back(said: str, part: str) -> RedirectResponse:
    return RedirectResponse(f"/account?said={said}#{part}", status_code=303)


def _show_app(
    request: Request, visit: Visit, offered: TotpEnrolment, *, status: int = 200, fault: str = ""
) -> HTMLResponse:
    return visit.services.pages.show(
        request,
        "account_app",
        status=status,
        visit=visit,
        secret=_in_fours(offered.secret),
        picture=f"data:image/svg+xml,{quote(offered.qr_svg)}",
        fault=fault,
    )


def _show_codes(request: Request, visit: Visit, codes: tuple[str, ...]) -> HTMLResponse:
    return visit.services.pages.show(request, "account_codes", visit=visit, codes=codes)


def _in_fours(secret: str) -> str:
    """Return the secret as people type it from one screen into another."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
