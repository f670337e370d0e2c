"""The sign-up page, and the form that other sites embed. Both are answered alike, whoever asks."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from newsletter.core.publication import Newsletter
from newsletter.core.signup import Typed
from newsletter.services.signup import SigningUp, agreed
from newsletter.web.public.form_tokens import QUICK, FormTokens
from newsletter.web.public.min_duration import evenly
from newsletter.web.public.pages import READ, Pages
from newsletter.web.public.time_zones import zones_by_region
from newsletter.web.public.zone_guess import zone_guess
from subscribers.errors import InvalidAddress
from subscribers.signup.model import ConsentProof

FORM_VERSION = "1"  #: to be raised with each change of what a form asks or says
EMBEDDED = "embed"  #: what the embedded form names itself
_LONGEST = 300  #: characters of a header that are kept as evidence

_SUBSCRIBE = "/{slug}/subscribe"
_NOTHING = "nothing at all"  #: no form has this name


class _Sheet(BaseModel):
    """The form, as it comes."""

    email: str = ""
    name: str = ""
    topic: list[str] = Field(default_factory=list[str])
    timezone: str = ""
    frequency: str = "daily"
    form: str = ""  #: which one it is
    stamp: str = ""
    website: str = ""  #: unseen: who fills it in is no reader


@dataclass(frozen=True)
class _Desk:
    """What the pages need."""

    signing_up: SigningUp
    stamps: FormTokens
    pages: Pages


def routes(
    signing_up: SigningUp, stamps: FormTokens, pages: Pages, *, base_url: str, least_seconds: float
) -> APIRouter:
    """Return the routes of the sign-up page. Long because it is a list of short routes."""
    router = APIRouter(default_response_class=HTMLResponse)
    desk = _Desk(signing_up, stamps, pages)

    @router.api_route(_SUBSCRIBE, methods=READ)
    def form(slug: str, request: Request) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        newsletter = signing_up.newsletter(slug)
        languages = request.headers.get("accept-language", "")
        zone = zone_guess(languages, newsletter.timetable.zone)
        typed = Typed(topics=newsletter.topic_slugs, zone=zone)
        return _form(desk, newsletter, typed, stamps.make(slug))

    @router.post(_SUBSCRIBE)
    def ask(  # pyright: ignore[reportUnusedFunction]
        slug: str, sheet: Annotated[_Sheet, Form()], request: Request
    ) -> HTMLResponse:
        with evenly(least_seconds):
            return _ask(desk, signing_up.newsletter(slug), sheet, request)

    @router.post(_SUBSCRIBE + "/again")
    def again(  # pyright: ignore[reportUnusedFunction]
        slug: str,
        request: Request,
        email: Annotated[str, Form()] = "",
        stamp: Annotated[str, Form()] = "",
    ) -> HTMLResponse:
        newsletter = signing_up.newsletter(slug)
        asked = stamps.is_fresh(_again(newsletter, email), stamp)
        with evenly(least_seconds), suppress(InvalidAddress):
            if asked:
                signing_up.again(newsletter, email, ip_of(request))
        return _sent(desk, newsletter, email, asked=asked, again=True)

    @router.api_route("/{slug}/embed", methods=READ)
    def embed(slug: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        newsletter = signing_up.newsletter(slug)
        shown = snippet(pages, newsletter, base_url)
        return pages.show("signup_embed", newsletter=newsletter, snippet=shown)

    return router


def snippet(pages: Pages, newsletter: Newsletter, base_url: str) -> str:
    """Return the HTML of a form that another site can hold: it needs no script."""
    action = f"{base_url}/{newsletter.slug}/subscribe"
    values = {"action": action, "agreed": agreed(newsletter), "newsletter": newsletter}
    return pages.text("signup_snippet", form=EMBEDDED, **values)


def evidence_of(request: Request, newsletter: Newsletter, via: str) -> ConsentProof:
    """Return what a request leaves as evidence of a sign-up."""
    page = str(request.url.replace(query=""))
    embedded = via == "embedded form"
    return ConsentProof(
        via=via,
        form=_kept(request.headers.get("referer", page) if embedded else page),
        version=FORM_VERSION,
        consent_text=agreed(newsletter),
        ip=ip_of(request),
        agent=_kept(request.headers.get("user-agent", "")),
    )


def ip_of(request: Request) -> str:
    """Return whom a request came from; the server has looked behind a proxy on this machine."""
    return _kept(request.client.host) if request.client else ""


def acted_on(request: Request, via: str) -> ConsentProof:
    """Return what a press of a link's button leaves as evidence; never the link itself."""
    agent = request.headers.get("user-agent", "")
    return ConsentProof(via=via, ip=ip_of(request), agent=_kept(agent))


def _ask(desk: _Desk, newsletter: Newsletter, sheet: _Sheet, request: Request) -> HTMLResponse:
    if sheet.website:
        return _sent(desk, newsletter, sheet.email, asked=False)
    embedded = sheet.form == EMBEDDED
    asks_topics = bool(sheet.topic) or not embedded
    typed = Typed(
        email=sheet.email,
        name=sheet.name,
        topics=tuple(sheet.topic) if asks_topics else None,
        zone=sheet.timezone,
        frequency=sheet.frequency,
    )
    slug = newsletter.slug
    if not embedded and not desk.stamps.is_read(slug, sheet.stamp):
        is_known = desk.stamps.is_fresh(slug, sheet.stamp)
        stamp = sheet.stamp if is_known else desk.stamps.make(slug, earlier=QUICK)
        return _form(desk, newsletter, typed, stamp, press_again=True)
    via = "embedded form" if embedded else "sign-up page"
    faults = desk.signing_up.ask(newsletter, typed, evidence_of(request, newsletter, via))
    if faults:
        typed = replace(typed, topics=newsletter.topic_slugs) if typed.topics is None else typed
        stamp = desk.stamps.make(slug, earlier=QUICK) if embedded else sheet.stamp
        return _form(desk, newsletter, typed, stamp, faults=faults)
    return _sent(desk, newsletter, sheet.email, asked=True)


def _form(
    desk: _Desk,
    newsletter: Newsletter,
    typed: Typed,
    stamp: str,
    *,
    faults: Mapping[str, str] | None = None,
    press_again: bool = False,
) -> HTMLResponse:
    """Show the form, with what was typed and what is wrong with it."""
    zones = zones_by_region()
    typed = replace(typed, zone=typed.zone or newsletter.timetable.zone)
    values: dict[str, Any] = {
        "agreed": agreed(newsletter),
        "faults": faults or {},
        "newsletter": newsletter,
        "press_again": press_again,
        "stamp": stamp,
        "is_listed": any(typed.zone in names for names in zones.values()),
        "typed": typed,
        "zones": zones,
    }
    return desk.pages.show("signup_form", status=422 if faults else 200, **values)


def _sent(
    desk: _Desk, newsletter: Newsletter, email: str, *, asked: bool, again: bool = False
) -> HTMLResponse:
    """Show the one answer there is: the address may be new, known, suppressed, or a machine's.

    What was not `asked` by a form of ours bears a stamp that opens nothing, and looks the same.
    """
    email = email.strip()
    stamp = desk.stamps.make(_again(newsletter, email) if asked else _NOTHING)
    return desk.pages.show(
        "signup_sent", again=again, email=email, newsletter=newsletter, stamp=stamp
    )


def _again(newsletter: Newsletter, email: str) -> str:
    return f"{newsletter.slug} again {email}"


def _kept(header: str) -> str:
    return "".join(one for one in header[:_LONGEST] if one.isprintable())
