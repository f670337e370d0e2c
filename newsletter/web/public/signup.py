"""The sign-up page, the form that other sites embed, and the links that confirm.

A sign-up is answered alike for every address. A GET shows a page; only a POST acts.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from newsletter.core.publication import Newsletter
from newsletter.core.signup import SignUpForm, consent_text
from newsletter.core.timetable import rhythm
from newsletter.web.dependencies import Services, SignUpNewsletter, WebServices
from newsletter.web.form_tokens import QUICK
from newsletter.web.min_duration import min_duration
from newsletter.web.pages import READ, Pages
from newsletter.web.public.links import ip_of, preferences_path, printable
from newsletter.web.public.time_zones import is_listed, zone_guess, zones_by_region
from subscribers.errors import InvalidAddress
from subscribers.model import Frequency, SubscriptionStatus
from subscribers.signup.model import ConsentProof, SignUp
from subscribers.signup.service import meant_address

FORM_VERSION = "1"  #: raise it whenever a form asks or says something else
EMBEDDED = "embed"  #: the `form` field of the embedded form

_SUBSCRIBE = "/{slug}/subscribe"
_NO_FORM = "nothing at all"  #: no form has this name

router = APIRouter(default_response_class=HTMLResponse)


class PostedSignUp(BaseModel):
    """The form as it is posted."""

    email: str = ""
    name: str = ""
    topic: list[str] = Field(default_factory=list[str])
    timezone: str = ""
    frequency: str = "daily"
    form: str = ""  #: `EMBEDDED`, or empty on our own page
    form_token: str = ""
    website: str = ""  #: hidden, so only machines fill it in
    sure: str = ""  #: they were asked whether they meant another address
    select: str = ""  #: the button that ticks every topic

    @property
    def is_embedded(self) -> bool:
        return self.form == EMBEDDED

    def typed(self) -> SignUpForm:
        """Return what was filled in; the embedded form need not ask for topics."""
        asks_topics = bool(self.topic) or not self.is_embedded
        return SignUpForm(
            email=self.email,
            name=self.name,
            topics=tuple(self.topic) if asks_topics else None,
            zone=self.timezone,
            frequency=self.frequency,
        )


@router.api_route("/c/{token}", methods=READ)
def ask_to_confirm(token: str, services: Services) -> HTMLResponse:
    """Show the button that confirms a sign-up."""
    newsletter, found = services.signup.opened(token)
    # A later request replaces an earlier one: they see what they confirm.
    asked = found if isinstance(found, SignUp) else None
    topics = [one.title for one in newsletter.topics if asked and one.slug in asked.topics.slugs]
    return services.pages.show(
        "signup_confirm",
        newsletter=newsletter,
        asked=asked,
        topics=topics,
        weekly=asked is not None and asked.frequency is Frequency.WEEKLY,
    )


@router.post("/c/{token}")
def confirm(token: str, request: Request, services: Services) -> HTMLResponse:
    """Confirm a sign-up."""
    # The link itself is never stored as evidence.
    proof = ConsentProof(via="confirmation link", ip=ip_of(request), agent=_agent(request))
    newsletter, done = services.signup.confirm(token, proof)
    return services.pages.show(
        "signup_confirmed",
        newsletter=newsletter,
        ended=done.status is SubscriptionStatus.ENDED,
        preferences=preferences_path(done.subscription_id, done.link_key),
    )


@router.api_route("/a/{token}", methods=READ)
def ask_to_confirm_address(token: str, services: Services) -> HTMLResponse:
    """Show the button that confirms a new address."""
    email = services.signup.address_opened(token).email
    return services.pages.show("signup_address", email=email)


@router.post("/a/{token}")
def confirm_address(token: str, services: Services) -> HTMLResponse:
    """Confirm a new address."""
    changed = services.signup.confirm_address(token)
    active = [one for one in changed if one.status is SubscriptionStatus.ACTIVE]
    first = (active or changed)[0]
    return services.pages.show(
        "signup_moved",
        email=first.email,
        preferences=preferences_path(first.id, first.link_key),
    )


@router.api_route(_SUBSCRIBE, methods=READ)
def show_form(newsletter: SignUpNewsletter, request: Request, services: Services) -> HTMLResponse:
    """Show the sign-up form."""
    languages = request.headers.get("accept-language", "")
    zone = zone_guess(languages, newsletter.timetable.zone)
    typed = SignUpForm(topics=newsletter.topic_slugs, zone=zone)
    return _form(services, newsletter, typed, services.form_tokens.make(newsletter.slug))


@router.api_route(_SUBSCRIBE + "/", methods=READ)
def form_with_slash(newsletter: SignUpNewsletter) -> RedirectResponse:
    """Lead to the form."""
    return RedirectResponse(f"/{newsletter.slug}/subscribe", status_code=308)


@router.post(_SUBSCRIBE)
def sign_up(
    newsletter: SignUpNewsletter,
    posted: Annotated[PostedSignUp, Form()],
    request: Request,
    services: Services,
) -> HTMLResponse:
    """Take a sign-up, and send the confirmation."""
    with min_duration(services.min_seconds):
        return _sign_up(services, newsletter, posted, request)


@router.post(_SUBSCRIBE + "/again")
def send_again(
    newsletter: SignUpNewsletter,
    request: Request,
    services: Services,
    email: Annotated[str, Form()] = "",
    form_token: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Send the confirmation again."""
    requested = services.form_tokens.is_fresh(_again(newsletter, email), form_token)
    with min_duration(services.min_seconds), suppress(InvalidAddress):
        if requested:
            services.signup.resend_confirmation(newsletter, email, ip_of(request))
    return _sent(services, newsletter, email, requested=requested, again=True)


@router.api_route("/{slug}/embed", methods=READ)
def embed(newsletter: SignUpNewsletter, services: Services) -> HTMLResponse:
    """Show the form for other sites, to copy."""
    html = snippet(services.pages, newsletter, services.public_url)
    return services.pages.show("signup_embed", newsletter=newsletter, snippet=html)


def snippet(pages: Pages, newsletter: Newsletter, public_url: str) -> str:
    """Return the HTML of a form for other sites; it needs no script."""
    return pages.text(
        "signup_snippet",
        form=EMBEDDED,
        action=f"{public_url}/{newsletter.slug}/subscribe",
        consent_text=consent_text(newsletter.signup, newsletter.name),
        newsletter=newsletter,
    )


def proof_of(request: Request, newsletter: Newsletter, via: str) -> ConsentProof:
    """Return what is stored as evidence of a sign-up."""
    page = str(request.url.replace(query=""))
    embedded = via == "embedded form"
    return ConsentProof(
        via=via,
        form=printable(request.headers.get("referer", page) if embedded else page),
        version=FORM_VERSION,
        consent_text=consent_text(newsletter.signup, newsletter.name),
        ip=ip_of(request),
        agent=_agent(request),
    )


def _agent(request: Request) -> str:
    return printable(request.headers.get("user-agent", ""))


def _sign_up(
    services: WebServices, newsletter: Newsletter, posted: PostedSignUp, request: Request
) -> HTMLResponse:
    if posted.website:
        return _sent(services, newsletter, posted.email, requested=False)
    slug, tokens, typed = newsletter.slug, services.form_tokens, posted.typed()
    if posted.select:
        typed = replace(typed, topics=newsletter.topic_slugs)
        return _form(services, newsletter, typed, posted.form_token, selected=True)
    if not posted.is_embedded and not tokens.is_read(slug, posted.form_token):
        is_ours = tokens.is_fresh(slug, posted.form_token)
        token = posted.form_token if is_ours else tokens.make(slug, earlier=QUICK)
        return _form(services, newsletter, typed, token, press_again=True)
    if (meant := meant_address(posted.email)) and not posted.sure:
        return _did_you_mean(services, newsletter, posted, meant)
    via = "embedded form" if posted.is_embedded else "sign-up page"
    errors = services.signup.request(newsletter, typed, proof_of(request, newsletter, via))
    if errors:
        typed = replace(typed, topics=newsletter.topic_slugs) if typed.topics is None else typed
        token = tokens.make(slug, earlier=QUICK) if posted.is_embedded else posted.form_token
        return _form(services, newsletter, typed, token, errors=errors)
    return _sent(services, newsletter, posted.email, requested=True)


def _did_you_mean(
    services: WebServices, newsletter: Newsletter, posted: PostedSignUp, meant: str
) -> HTMLResponse:
    """Ask about an address that looks like a slip, once; nothing is stored yet."""
    fields = [(name, value) for name, value in posted if name not in {"email", "topic"}]
    return services.pages.show(
        "signup_did_you_mean",
        newsletter=newsletter,
        typed=posted.email.strip(),
        meant=meant,
        fields=[(n, v) for n, v in fields if v] + [("topic", one) for one in posted.topic],
    )


def _form(
    services: WebServices,
    newsletter: Newsletter,
    typed: SignUpForm,
    form_token: str,
    *,
    errors: Mapping[str, str] | None = None,
    press_again: bool = False,
    selected: bool = False,
) -> HTMLResponse:
    """Show the form, with what was typed and what is wrong with it."""
    typed = replace(typed, zone=typed.zone or newsletter.timetable.zone)
    return services.pages.show(
        "signup_form",
        status=422 if errors else 200,
        consent_text=consent_text(newsletter.signup, newsletter.name),
        errors=errors or {},
        newsletter=newsletter,
        press_again=press_again,
        selected=selected,
        latest=services.publishing.issues.published(newsletter.slug, 1),
        rhythm=rhythm(newsletter.timetable),
        form_token=form_token,
        is_listed=is_listed(typed.zone),
        typed=typed,
        zones=zones_by_region(),
    )


def _sent(
    services: WebServices,
    newsletter: Newsletter,
    email: str,
    *,
    requested: bool,
    again: bool = False,
) -> HTMLResponse:
    """Show the one answer for every address, be it new, known, suppressed, or from a machine.

    What was not `requested` with one of our forms gets a token that is good for nothing but looks
    the same.
    """
    email = email.strip()
    token = services.form_tokens.make(_again(newsletter, email) if requested else _NO_FORM)
    return services.pages.show(
        "signup_sent", again=again, email=email, newsletter=newsletter, form_token=token
    )


def _again(newsletter: Newsletter, email: str) -> str:
    return f"{newsletter.slug} again {email}"
