"""The unsubscribe page: its button; beside it, fewer letters, and a way back.

A GET shows a page; only a POST acts. What its button posts to is in `one_click`.
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from newsletter.core.publication import Newsletter
from newsletter.web.dependencies import Services, WebServices
from newsletter.web.pages import READ
from newsletter.web.public.links import ACTOR, OpenedLink, UnsubscribeLink
from subscribers.errors import InvalidChoice
from subscribers.model import Frequency, SuppressionReason

#: Why a reader may unsubscribe, as the page lists it.
REASONS = {
    "too-many": "I get too many emails",
    "not-for-me": "The stories are not for me",
    "no-time": "I have no time to read it",
    "never-asked": "I never signed up for it",
    "other": "Something else",
}

#: Why an address gets no letters whatever its owner chooses here, in words for them.
_SUPPRESSED = {
    SuppressionReason.BOUNCE: "because emails to your address came back",
    SuppressionReason.COMPLAINT: "because an email to you was reported as spam",
    SuppressionReason.INVALID: "because your address did not seem to work",
    SuppressionReason.MANUAL: "because we were asked not to write to your address",
    SuppressionReason.SOFT_BOUNCE: "because your mailbox refused too many emails",
    SuppressionReason.UNSUBSCRIBE: "because your address was taken off all our lists",
}
_MONTH = timedelta(days=30)
_SOURCE = "unsubscribe page"

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/u/{token}", methods=READ)
@router.api_route("/u/{token}/{button}", methods=READ)
def ask(reader: UnsubscribeLink, services: Services) -> HTMLResponse:
    """Show the unsubscribe button."""
    return _show(services, reader)


@router.post("/u/{token}/weekly")
def make_weekly(reader: UnsubscribeLink, services: Services) -> HTMLResponse:
    """Change to one letter a week."""
    if reader.newsletter.weekly is None or reader.has_ended:
        return _show(services, reader)
    services.subscriptions.set_frequency(
        reader.subscription.id, Frequency.WEEKLY, now=reader.now, actor=ACTOR
    )
    return _show(services, reader.reloaded(services), done="weekly")


@router.post("/u/{token}/pause")
def pause(reader: UnsubscribeLink, services: Services) -> HTMLResponse:
    """Pause the letters for a month."""
    if reader.has_ended or reader.is_paused:
        return _show(services, reader)
    until = reader.today + _MONTH
    services.subscriptions.pause(reader.subscription, until, now=reader.now, actor=ACTOR)
    return _show(services, reader.reloaded(services), done="paused")


@router.post("/u/{token}/reason")
def give_reason(
    reader: UnsubscribeLink,
    services: Services,
    reason: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Record why the reader left."""
    reason = reason if reason in REASONS else ""
    if not (reason or words.strip()) or not reader.has_ended:
        return _show(services, reader)
    try:
        services.subscriptions.record_reason(
            reader.subscription.id, reason, words, now=reader.now, actor=ACTOR
        )
    except InvalidChoice as error:
        page = _show(services, reader, error=str(error), words=words, reason=reason)
        page.status_code = 422
        return page
    return _show(services, reader, thanked=True)


@router.post("/u/{token}/back")
def resubscribe(reader: UnsubscribeLink, services: Services) -> HTMLResponse:
    """Take an unsubscribe back."""
    subscription = services.subscriptions.resubscribe(
        reader.subscription.id, now=reader.now, source=_SOURCE
    )
    suppression = services.subscriptions.suppression(subscription.email)
    return services.pages.show(
        "resubscribed",
        reader=reader,
        newsletter=reader.newsletter,
        suppressed=_SUPPRESSED[suppression.reason] if suppression else None,
    )


def _show(
    services: WebServices, reader: OpenedLink, *, done: str = "", **answer: Any
) -> HTMLResponse:
    newsletter = reader.newsletter
    if reader.has_ended:
        path, undone = reader.unsubscribe_path, reader.is_undone
        return unsubscribed_page(services, newsletter, path, is_undone=undone, **answer)
    return services.pages.show("unsubscribe", reader=reader, newsletter=newsletter, done=done)


def unsubscribed_page(
    services: WebServices, newsletter: Newsletter, path: str, **answer: Any
) -> HTMLResponse:
    """Return the page of who has left: what they may say about it, and the way back."""
    shown: dict[str, Any] = dict.fromkeys(("error", "reason", "words"), "")
    shown |= {"newsletter": newsletter, "path": path, "reasons": REASONS}
    shown |= {"is_undone": False, "thanked": False}
    return services.pages.show("unsubscribed", **shown | answer)
