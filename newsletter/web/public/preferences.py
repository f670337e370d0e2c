"""The preferences page: what a subscriber chooses, and their rights over their data.

A GET shows a page; only a POST acts. An error is shown beside its field, with what was typed.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from newsletter.web.dependencies import Services, WebServices
from newsletter.web.error_pages import retry_after, try_again
from newsletter.web.pages import READ
from newsletter.web.public.links import ACTOR, OpenedLink, PreferencesLink, ip_of
from newsletter.web.public.time_zones import is_listed, zones_by_region
from subscribers.errors import InvalidAddress, InvalidChoice, TooManyRequests
from subscribers.model import EVERYTHING, Choices, Frequency, TopicSet

_SOURCE = "preferences page"

router = APIRouter(default_response_class=HTMLResponse)


class PreferencesForm(BaseModel):
    """The page's first form, as it is posted; a field that is missing changes nothing."""

    topic: list[str] = Field(default_factory=list[str])
    frequency: str = ""
    name: str | None = None
    zone: str | None = None
    select: str = ""  #: the button that ticks every topic


@router.post("/p/{token}")
def choose(
    reader: PreferencesLink, services: Services, form: Annotated[PreferencesForm, Form()]
) -> HTMLResponse:
    """Save a reader's choices."""
    if reader.has_ended:
        return _show(services, reader)
    if form.select:
        values = _as_typed(reader, form) | {"topics": reader.newsletter.topic_slugs}
        message = "Every topic is selected now. Press “Save” to keep that."
        return _show(services, reader, message=message, values=values)
    choices = _choices(reader, form)
    if choices is None:
        errors = {"topics": "Choose at least one topic."}
        return _show(services, reader, errors=errors, values=_as_typed(reader, form))
    try:
        services.subscriptions.choose(
            reader.subscription.id, choices, now=reader.now, source=_SOURCE, actor=ACTOR
        )
    except InvalidChoice as error:
        errors = {error.field: str(error)}
        return _show(services, reader, errors=errors, values=_as_typed(reader, form))
    message = "Saved. Your choices apply from the next issue."
    return _show(services, reader.reloaded(services), message=message)


@router.post("/p/{token}/pause")
def pause(
    reader: PreferencesLink, services: Services, until: Annotated[str, Form()] = ""
) -> HTMLResponse:
    """Pause the letters until a date."""
    if reader.has_ended:
        return _show(services, reader)
    try:
        services.subscriptions.pause(reader.subscription, _date(until), now=reader.now, actor=ACTOR)
    except InvalidChoice as error:
        return _show(services, reader, errors={error.field: str(error)}, until=until)
    message = "Saved. You get no emails until then."
    return _show(services, reader.reloaded(services), message=message)


@router.post("/p/{token}/unpause")
def unpause(reader: PreferencesLink, services: Services) -> HTMLResponse:
    """End a pause."""
    services.subscriptions.unpause(reader.subscription.id, now=reader.now, actor=ACTOR)
    message = "Saved. You get emails again."
    return _show(services, reader.reloaded(services), message=message)


@router.post("/p/{token}/address")
def change_address(
    reader: PreferencesLink,
    request: Request,
    services: Services,
    email: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Ask at a new address whether it is right."""
    if reader.has_ended:
        return _show(services, reader)
    try:
        asked = services.signup.request_address_change(reader.subscription, email, ip_of(request))
    except InvalidAddress:
        errors = {"email": "We cannot write to this address."}
        return _show(services, reader, errors=errors, email=email)
    except TooManyRequests as error:
        return _too_many_changes(services, reader, email, error)
    if asked.is_theirs:
        return _show(services, reader, message="We write to this address already.")
    message = f"An email to {email.strip()} is on its way. Please confirm your new address in it."
    return _show(services, reader, message=message)


def _too_many_changes(
    services: WebServices, reader: OpenedLink, email: str, error: TooManyRequests
) -> HTMLResponse:
    said = f"That were too many emails for now, so none was sent. {try_again(error.wait)}"
    page = _show(services, reader, errors={"email": said}, email=email)
    page.status_code = 429
    page.headers["Retry-After"] = retry_after(error.wait)
    return page


@router.api_route("/p/{token}/data.json", methods=READ)
def download_data(reader: PreferencesLink, services: Services) -> JSONResponse:
    """Return everything that is stored about the reader."""
    data = services.people.data(reader.subscription.subscriber_id)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return JSONResponse(jsonable_encoder(data), headers=headers)


@router.api_route("/p/{token}/erase", methods=READ)
def ask_to_erase(reader: PreferencesLink, services: Services) -> HTMLResponse:
    """Ask whether the reader is sure."""
    return services.pages.show("erase", reader=reader, newsletter=reader.newsletter)


@router.post("/p/{token}/erase")
def erase(reader: PreferencesLink, services: Services) -> HTMLResponse:
    """Erase the reader."""
    services.people.erase(reader.subscription.subscriber_id, actor=ACTOR)
    return services.pages.show("erased", newsletter=reader.newsletter)


# After the other GETs, whose paths it would match.
@router.api_route("/p/{token}", methods=READ)
@router.api_route("/p/{token}/{button}", methods=READ)
def preferences(reader: PreferencesLink, services: Services) -> HTMLResponse:
    """Show the reader's own page."""
    return _show(services, reader)


def _choices(reader: OpenedLink, form: PreferencesForm) -> Choices | None:
    """Return what was chosen; None if no topic was."""
    subscription, newsletter = reader.subscription, reader.newsletter
    if not (topics := _known_topics(reader, form)):
        return None
    weekly = form.frequency == Frequency.WEEKLY and (newsletter.weekly or reader.is_weekly)
    daily = form.frequency == Frequency.DAILY
    return Choices(
        # Every box ticked means everything, also topics that are added later.
        topics=TopicSet.of([] if len(topics) == len(newsletter.topics) else topics),
        frequency=Frequency(form.frequency) if weekly or daily else subscription.frequency,
        name=subscription.name if form.name is None else form.name,
        zone=form.zone or subscription.zone,
    )


def _known_topics(reader: OpenedLink, form: PreferencesForm) -> list[str]:
    return [slug for slug in reader.newsletter.topic_slugs if slug in form.topic]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidChoice("until", "Choose the day on which emails start again.") from None


def _as_typed(reader: OpenedLink, form: PreferencesForm) -> dict[str, object]:
    """Return what the form shows again if something in it was wrong."""
    stored = _as_stored(reader)
    typed = {"frequency": form.frequency, "name": form.name or "", "zone": form.zone}
    given = {key: value for key, value in typed.items() if value or key == "name"}
    return stored | given | {"topics": _known_topics(reader, form) or stored["topics"]}


def _as_stored(reader: OpenedLink) -> dict[str, object]:
    subscription = reader.subscription
    slugs = subscription.topics.slugs
    return {
        "topics": reader.newsletter.topic_slugs if EVERYTHING in slugs else slugs,
        "frequency": subscription.frequency.value,
        "name": subscription.name,
        "zone": subscription.zone,
    }


def _show(
    services: WebServices,
    reader: OpenedLink,
    *,
    values: Mapping[str, object] | None = None,
    **answer: Any,
) -> HTMLResponse:
    """Show the page; `answer` says what happened: a message, or errors and what was typed.

    With errors its status is 422: nothing was done.
    """
    values = values or _as_stored(reader)
    nothing: dict[str, Any] = {"message": "", "errors": {}, "until": "", "email": ""}
    return services.pages.show(
        "preferences",
        status=422 if answer.get("errors") else 200,
        reader=reader,
        newsletter=reader.newsletter,
        values=values,
        zones=zones_by_region(),
        is_listed=is_listed(str(values["zone"])),
        tomorrow=reader.today + timedelta(days=1),
        **nothing | answer,
    )
