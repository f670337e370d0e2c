"""The pages behind a confirmation's link. A GET shows a button; only a POST confirms."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.services.signup import SigningUp
from newsletter.web.public.pages import READ, Pages
from newsletter.web.public.signup import acted_on
from subscribers.model import Purpose, Subscription, SubscriptionStatus
from subscribers.tokens import make_token


def routes(signing_up: SigningUp, pages: Pages) -> APIRouter:
    """Return the routes behind the links of confirmations."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.api_route("/c/{token}", methods=READ)
    def ask(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        newsletter, _ = signing_up.opened(token)
        return pages.show("signup_confirm", newsletter=newsletter)

    @router.post("/c/{token}")
    def confirm(token: str, request: Request) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        evidence = acted_on(request, "confirmation link")
        newsletter, subscription = signing_up.confirm(token, evidence)
        return pages.show(
            "signup_confirmed",
            newsletter=newsletter,
            ended=subscription.status is SubscriptionStatus.ENDED,
            preferences=_preferences(subscription),
        )

    @router.api_route("/a/{token}", methods=READ)
    def ask_address(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return pages.show("signup_address", email=signing_up.address_opened(token).email)

    @router.post("/a/{token}")
    def move(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        moved = signing_up.confirm_address(token)
        active = [one for one in moved if one.status is SubscriptionStatus.ACTIVE]
        first = (active or moved)[0]
        return pages.show("signup_moved", email=first.email, preferences=_preferences(first))

    return router


def _preferences(subscription: Subscription) -> str:
    return "/p/" + make_token(Purpose.PREFERENCES, subscription.id, subscription.link_key)
