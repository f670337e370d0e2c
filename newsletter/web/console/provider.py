"""Signing in, and confirming, at the company's own identity provider.

A press stores the request and leads there; the way back is a page whose form posts what the
provider answered, since a GET changes nothing. The browser leaves by `Refresh`, because the policy
of our pages lets no form lead elsewhere, however often the provider redirects.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from newsletter.core.sign_in import AT_PROVIDER, ProviderRequest, SignInRefused
from newsletter.errors import ProviderUnavailable
from newsletter.services.provider_sign_in import ProviderAnswer
from newsletter.web.console.access import SignedInVisit, cookie_name, network_address
from newsletter.web.console.dependencies import ConsoleServices, console_services_of
from newsletter.web.console.sign_in import (
    Field,
    Then,
    confirm_values,
    device,
    is_https,
    sign_in_page,
    signed_in_answer,
)
from newsletter.web.declared_routes import ANYONE

router = APIRouter()

_TICKET = "provider"
_CONFIRMING = "confirm-"  #: before the ticket of a request that confirms

OrEmpty = Annotated[str, Form()]
Made = TypeVar("Made")


@router.post("/sign-in/provider", dependencies=[ANYONE])
def to_provider(request: Request, then: Then = "/") -> Response:
    """Lead to the company's own sign-in."""
    sign_in = console_services_of(request).provider_sign_in
    return _answered(request, "sign_in", then, lambda: _leave(request, sign_in.request(then)))


@router.post("/confirm/provider")
def to_provider_again(request: Request, visit: SignedInVisit, then: Then = "/") -> Response:
    """Lead to the company's own sign-in, which asks once more."""
    sign_in = visit.services.provider_sign_in

    def leave() -> Response:
        return _leave(request, sign_in.confirm_request(visit.signed, then), _CONFIRMING)

    return _answered(request, "confirm", then, leave, **confirm_values(visit))


@router.get("/sign-in/provider/answer", dependencies=[ANYONE])
def answer_page(
    request: Request, state: str = "", code: str = "", iss: str = "", error: str = ""
) -> Response:
    """Show the form that brings back the provider's answer; or that it signed nobody in."""
    if error or not code:
        said = _said(request, "provider_refused")
        return sign_in_page(request, "sign_in", then="/", said=said, status=422)
    confirming = _ticket(request).startswith(_CONFIRMING)
    action = f"/{'confirm' if confirming else 'sign-in'}/provider/answer"
    values: dict[str, Any] = {"state": state, "code": code, "issuer": iss, "action": action}
    return sign_in_page(request, "provider_answer", then="/", **values)


@router.post("/sign-in/provider/answer", dependencies=[ANYONE])
def by_provider(request: Request, state: Field, code: Field, issuer: OrEmpty = "") -> Response:
    """Sign in whom the provider signed in."""
    sign_in = console_services_of(request).provider_sign_in

    def come_back() -> Response:
        answer = ProviderAnswer(ticket=_ticket(request), state=state, code=code, issuer=issuer)
        result, then = sign_in.accept(
            answer, address=network_address(request), device=device(request)
        )
        return signed_in_answer(request, result, "sign_in", then=then)

    return _without_ticket(request, _answered(request, "sign_in", "/", come_back))


@router.post("/confirm/provider/answer")
def confirm_by_provider(
    request: Request, visit: SignedInVisit, state: Field, code: Field, issuer: OrEmpty = ""
) -> Response:
    """Make the session fresh, once the provider has asked the person again."""
    values = confirm_values(visit)

    def come_back() -> Response:
        ticket = _ticket(request).removeprefix(_CONFIRMING)
        answer = ProviderAnswer(ticket=ticket, state=state, code=code, issuer=issuer)
        result, then = visit.services.provider_sign_in.confirm(visit.signed, visit.token, answer)
        return signed_in_answer(request, result, "confirm", then=then, **values)

    return _without_ticket(request, _answered(request, "confirm", "/", come_back, **values))


def _answered(
    request: Request, page: str, then: str, act: Callable[[], Response], **values: Any
) -> Response:
    """Act; where the provider does not answer, offer the other ways."""
    try:
        return act()
    except ProviderUnavailable:
        said = _said(request, "provider_unavailable")
        return sign_in_page(request, page, then=then, said=said, status=503, **values)


def _leave(request: Request, asked: ProviderRequest, before: str = "") -> Response:
    services = console_services_of(request)
    answer = sign_in_page(request, "to_provider", then="/", url=asked.url)
    answer.headers["Refresh"] = f"0; url={asked.url}"
    answer.set_cookie(
        _cookie(services),
        before + asked.ticket,
        max_age=int(AT_PROVIDER.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_https(services),
    )
    return answer


def _ticket(request: Request) -> str:
    return request.cookies.get(_cookie(console_services_of(request)), "")


def _without_ticket(request: Request, answer: Response) -> Response:
    """Take the ticket, which was used, from the browser."""
    services = console_services_of(request)
    secure = is_https(services)
    answer.delete_cookie(_cookie(services), secure=secure, httponly=True, samesite="lax")
    return answer


def _cookie(services: ConsoleServices) -> str:
    return cookie_name(services.url, _TICKET)


def _said(request: Request, name: str) -> SignInRefused:
    words = console_services_of(request).pages.words
    return SignInRefused(sentence=str(words(f"sign_in.{name}")))
