"""What a subscriber may do from a letter's links. A GET shows a page; only a POST acts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from newsletter.core.publication import Newsletter
from newsletter.web.pages import READ, Pages
from subscribers.errors import InvalidLink
from subscribers.model import EVERYTHING, Purpose, Subscription, SubscriptionStatus, TopicSet
from subscribers.service import Subscriptions
from subscribers.tokens import make_token


def routes(
    newsletters: Mapping[str, Newsletter],
    desk: Subscriptions,
    now: Callable[[], datetime],
    pages: Pages,
) -> APIRouter:
    """Return the routes behind a letter's links."""
    # Long because it is a list: each route is a few lines of its own.
    router = APIRouter(default_response_class=HTMLResponse)

    def opened(purpose: Purpose, token: str) -> tuple[Subscription, Newsletter]:
        subscription = desk.by_token(purpose, token)
        if subscription.newsletter not in newsletters:
            raise InvalidLink
        return subscription, newsletters[subscription.newsletter]

    @router.api_route("/u/{token}", methods=READ)
    def ask(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        subscription, newsletter = opened(Purpose.UNSUBSCRIBE, token)
        return pages.show("unsubscribe", newsletter=newsletter, ended=_has_ended(subscription))

    @router.post("/u/{token}")
    def leave(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        """Act on any POST, whatever its body (RFC 8058, section 3.2); a repeat is a success."""
        subscription, newsletter = opened(Purpose.UNSUBSCRIBE, token)
        desk.end([subscription.id], now=now(), source="unsubscribe link")
        return pages.show("unsubscribe", newsletter=newsletter, ended=True)

    @router.api_route("/p/{token}", methods=READ)
    def preferences(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        subscription, newsletter = opened(Purpose.PREFERENCES, token)
        return _preferences(pages, newsletter, subscription, saved=False)

    @router.post("/p/{token}")
    def choose(  # pyright: ignore[reportUnusedFunction]
        token: str, topic: Annotated[list[str] | None, Form()] = None
    ) -> HTMLResponse:
        subscription, newsletter = opened(Purpose.PREFERENCES, token)
        known = [slug for slug in newsletter.topic_slugs if slug in (topic or [])]
        if _has_ended(subscription) or not known:
            return _preferences(pages, newsletter, subscription, saved=False, nothing=not known)
        # Every box ticked means everything, also the topics still to come.
        chosen = TopicSet.of([] if len(known) == len(newsletter.topics) else known)
        subscription = desk.choose_topics(
            subscription.id, chosen, now=now(), source="preferences page"
        )
        return _preferences(pages, newsletter, subscription, saved=True)

    return router


def _preferences(
    pages: Pages,
    newsletter: Newsletter,
    subscription: Subscription,
    *,
    saved: bool,
    nothing: bool = False,
) -> HTMLResponse:
    slugs = subscription.topics.slugs
    return pages.show(
        "preferences",
        newsletter=newsletter,
        chosen=newsletter.topic_slugs if EVERYTHING in slugs else slugs,
        ended=_has_ended(subscription),
        leave="/u/" + make_token(Purpose.UNSUBSCRIBE, subscription.id, subscription.link_key),
        saved=saved,
        nothing=nothing,
    )


def _has_ended(subscription: Subscription) -> bool:
    return subscription.status is SubscriptionStatus.ENDED
