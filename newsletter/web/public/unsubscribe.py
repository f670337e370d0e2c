"""The goodbye page: one click to leave, fewer mails beside it, and a way back.

A GET shows a page; only a POST acts.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from newsletter.core.publication import Newsletter
from newsletter.web.public.links import ACTOR, LinkOpener, OpenedLink
from newsletter.web.public.pages import READ, Pages
from subscribers.errors import InvalidChoice
from subscribers.model import Frequency, Purpose, SuppressionReason

#: Why somebody may leave, as the page lists it.
REASONS = {
    "too-many": "There were too many letters",
    "not-for-me": "The stories were not for me",
    "no-time": "I have no time to read it",
    "never-asked": "I never asked for it",
    "other": "Something else",
}

#: Why an address gets no letters whatever its owner chooses here, told to them.
_SILENCED = {
    SuppressionReason.BOUNCE: "because letters to your address came back",
    SuppressionReason.COMPLAINT: "because a letter to you was reported as spam",
    SuppressionReason.INVALID: "because your address did not seem to work",
    SuppressionReason.MANUAL: "because we were asked not to write to your address",
    SuppressionReason.SOFT_BOUNCE: "because your mailbox refused too many letters",
    SuppressionReason.UNSUBSCRIBE: "because your address was taken off every list of ours",
}
ONE_CLICK = "/u/{token}"  #: where the one-click goodbye is posted to
_AT_ONCE = 6  #: goodbyes; more would ask for connections beyond those that are kept open
_MONTH = timedelta(days=30)
_SOURCE = "goodbye page"


def routes(door: LinkOpener, pages: Pages) -> APIRouter:
    """Return the routes of the goodbye page."""
    router = APIRouter(default_response_class=HTMLResponse)
    _add_goodbye(router, door, pages)
    _add_fewer(router, door, pages)
    _add_reason(router, door, pages)
    _add_back(router, door, pages)
    return router


def one_click(door: LinkOpener, pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """Return the one-click goodbye of RFC 8058, section 3.2, to be posted to `ONE_CLICK`.

    Any POST acts, whatever its body, which is not even read; a repeat is a success. It is an
    endpoint of its own, since mail programs post many at once, and most of FastAPI's work is for
    parameters that it does not have.
    """

    def leave(token: str) -> Response:
        source = "unsubscribe link"
        slug = door.desk.leave(token, door.newsletters, now=door.now(), source=source)
        return _left(pages, door.newsletters[slug], f"/u/{token}")

    limiter = CapacityLimiter(_AT_ONCE)

    async def endpoint(request: Request) -> Response:
        return await to_thread.run_sync(leave, request.path_params["token"], limiter=limiter)

    return endpoint


def _add_goodbye(router: APIRouter, door: LinkOpener, pages: Pages) -> None:
    @router.api_route("/u/{token}", methods=READ)
    @router.api_route("/u/{token}/{button}", methods=READ)
    def ask(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return _show(pages, _opened(door, token))


def _add_fewer(router: APIRouter, door: LinkOpener, pages: Pages) -> None:
    @router.post("/u/{token}/weekly")
    def weekly(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = _opened(door, token)
        if found.newsletter.weekly is None or found.has_ended:
            return _show(pages, found)
        often = Frequency.WEEKLY
        door.desk.set_frequency(found.subscription.id, often, now=found.now, actor=ACTOR)
        return _show(pages, _opened(door, token), done="weekly")

    @router.post("/u/{token}/pause")
    def pause(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = _opened(door, token)
        if found.has_ended or found.paused:
            return _show(pages, found)
        door.desk.pause(found.subscription, found.today + _MONTH, now=found.now, actor=ACTOR)
        return _show(pages, _opened(door, token), done="paused")


def _add_reason(router: APIRouter, door: LinkOpener, pages: Pages) -> None:
    @router.post("/u/{token}/reason")
    def reason(  # pyright: ignore[reportUnusedFunction]
        token: str, reason: Annotated[str, Form()] = "", words: Annotated[str, Form()] = ""
    ) -> HTMLResponse:
        found, said = _opened(door, token), reason if reason in REASONS else ""
        if not (said or words.strip()):
            return _show(pages, found)
        try:
            door.desk.say_why(found.subscription.id, said, words, now=found.now, actor=ACTOR)
        except InvalidChoice as error:
            return _show(pages, found, wrong=str(error), words=words, reason=said)
        return _show(pages, found, thanked=True)


def _add_back(router: APIRouter, door: LinkOpener, pages: Pages) -> None:
    @router.post("/u/{token}/back")
    def back(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = _opened(door, token)
        resumed = door.desk.resume(found.subscription.id, now=found.now, source=_SOURCE)
        stands = door.desk.suppressed(resumed.email)
        return pages.show(
            "back",
            reader=found,
            newsletter=found.newsletter,
            silenced=_SILENCED[stands.reason] if stands else None,
        )


def _opened(door: LinkOpener, token: str) -> OpenedLink:
    return door.open(Purpose.UNSUBSCRIBE, token)


def _show(pages: Pages, found: OpenedLink, *, done: str = "", **said: Any) -> HTMLResponse:
    if found.has_ended:
        return _left(pages, found.newsletter, found.goodbye, taken_back=found.taken_back, **said)
    return pages.show("unsubscribe", reader=found, newsletter=found.newsletter, done=done)


def _left(
    pages: Pages,
    newsletter: Newsletter,
    goodbye: str,
    *,
    taken_back: bool = False,
    thanked: bool = False,
    wrong: str = "",
    reason: str = "",
    words: str = "",
) -> HTMLResponse:
    return pages.show(
        "left",
        newsletter=newsletter,
        goodbye=goodbye,
        reasons=REASONS,
        taken_back=taken_back,
        thanked=thanked,
        wrong=wrong,
        reason=reason,
        words=words,
    )
