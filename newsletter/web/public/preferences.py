"""The preference page: what a subscriber chooses, and what they may ask of us.

A GET shows a page; only a POST acts. Whatever cannot be kept is said beside its field, with what
was typed still there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Form
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from newsletter.core.publication import Newsletter
from newsletter.web.public.links import ACTOR, LinkOpener, OpenedLink
from newsletter.web.public.pages import READ, Pages
from newsletter.web.public.time_zones import zones_by_region
from subscribers.errors import InvalidAddress, InvalidChoice
from subscribers.model import EVERYTHING, Choices, Frequency, Purpose, Subscription, TopicSet

_SOURCE = "preferences page"


class People(Protocol):
    """Whoever keeps all that is known about a person."""

    def data(self, subscriber_id: int) -> Any:
        """Return everything on file about a subscriber."""
        ...

    def erase(self, subscriber_id: int, *, actor: str) -> object:
        """Forget a subscriber."""
        ...


class Movers(Protocol):
    """Whoever asks at a new address whether its owner is the subscriber."""

    def ask_address(self, subscription: Subscription, email: str) -> object:
        """Have a letter sent there; raise InvalidAddress."""
        ...


@dataclass(frozen=True)
class _Desk:
    """Where the page's wishes go."""

    door: LinkOpener
    pages: Pages
    people: People | None
    movers: Movers | None


class _Wishes(BaseModel):
    """The page's first form, as it comes: what it does not say stays as it is."""

    topic: list[str] = Field(default_factory=list[str])
    frequency: str = ""
    name: str | None = None
    zone: str | None = None


def routes(
    door: LinkOpener, pages: Pages, *, people: People | None = None, movers: Movers | None = None
) -> APIRouter:
    """Return the routes of the preference page."""
    router = APIRouter(default_response_class=HTMLResponse)
    desk = _Desk(door, pages, people, movers)
    _add_choices(router, desk)
    _add_pause(router, desk)
    if movers is not None:
        _add_address(router, desk, movers)
    if people is not None:
        _add_data(router, desk, people)

    @router.api_route("/p/{token}", methods=READ)
    @router.api_route("/p/{token}/{button}", methods=READ)
    def preferences(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return _show(desk, _opened(desk, token))

    return router


def _add_choices(router: APIRouter, desk: _Desk) -> None:
    @router.post("/p/{token}")
    def choose(  # pyright: ignore[reportUnusedFunction]
        token: str, wishes: Annotated[_Wishes, Form()]
    ) -> HTMLResponse:
        found = _opened(desk, token)
        if found.has_ended:
            return _show(desk, found)
        chosen = _read(found, wishes)
        if chosen is None:
            wrong = {"topics": "Tick one topic at least."}
            return _show(desk, found, wrong=wrong, shown=_as_typed(found, wishes))
        try:
            desk.door.desk.choose(
                found.subscription.id, chosen, now=found.now, source=_SOURCE, actor=ACTOR
            )
        except InvalidChoice as error:
            wrong = {error.field: str(error)}
            return _show(desk, found, wrong=wrong, shown=_as_typed(found, wishes))
        return _show(desk, _opened(desk, token), said="Saved. It counts from the next issue.")


def _add_pause(router: APIRouter, desk: _Desk) -> None:
    @router.post("/p/{token}/pause")
    def pause(  # pyright: ignore[reportUnusedFunction]
        token: str, until: Annotated[str, Form()] = ""
    ) -> HTMLResponse:
        found = _opened(desk, token)
        if found.has_ended:
            return _show(desk, found)
        try:
            day = _day_of(until)
            desk.door.desk.pause(found.subscription, day, now=found.now, actor=ACTOR)
        except InvalidChoice as error:
            return _show(desk, found, wrong={error.field: str(error)}, until=until)
        return _show(desk, _opened(desk, token), said="Saved. No letters until then.")

    @router.post("/p/{token}/resume")
    def resume(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = _opened(desk, token)
        desk.door.desk.unpause(found.subscription.id, now=found.now, actor=ACTOR)
        return _show(desk, _opened(desk, token), said="Saved. Letters come again.")


def _add_address(router: APIRouter, desk: _Desk, movers: Movers) -> None:
    @router.post("/p/{token}/address")
    def move(  # pyright: ignore[reportUnusedFunction]
        token: str, email: Annotated[str, Form()] = ""
    ) -> HTMLResponse:
        found = _opened(desk, token)
        if found.has_ended:
            return _show(desk, found)
        try:
            movers.ask_address(found.subscription, email)
        except InvalidAddress:
            wrong = {"email": "This is not an address we can write to."}
            return _show(desk, found, wrong=wrong, email=email)
        said = f"A letter is on its way to {email.strip()}. Please press the button it leads to."
        return _show(desk, found, said=said)


def _add_data(router: APIRouter, desk: _Desk, people: People) -> None:
    @router.api_route("/p/{token}/data.json", methods=READ)
    def data(token: str) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        subscriber_id = _opened(desk, token).subscription.subscriber_id
        shown = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return JSONResponse(jsonable_encoder(people.data(subscriber_id)), headers=shown)

    @router.api_route("/p/{token}/erase", methods=READ)
    def ask(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = _opened(desk, token)
        return desk.pages.show("erase", reader=found, newsletter=found.newsletter)

    @router.post("/p/{token}/erase")
    def erase(token: str) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        found = _opened(desk, token)
        people.erase(found.subscription.subscriber_id, actor=ACTOR)
        return desk.pages.show("erased", newsletter=found.newsletter)


def _opened(desk: _Desk, token: str) -> OpenedLink:
    return desk.door.open(Purpose.PREFERENCES, token)


def _read(found: OpenedLink, wishes: _Wishes) -> Choices | None:
    """Return what was chosen; None where no topic was."""
    stands, newsletter = found.subscription, found.newsletter
    known = _known(found, wishes)
    if not known:
        return None
    weekly = wishes.frequency == Frequency.WEEKLY and (newsletter.weekly or found.is_weekly)
    daily = wishes.frequency == Frequency.DAILY
    return Choices(
        # Every box ticked means everything, also the topics still to come.
        topics=TopicSet.of([] if len(known) == len(newsletter.topics) else known),
        frequency=Frequency(wishes.frequency) if weekly or daily else stands.frequency,
        name=stands.name if wishes.name is None else wishes.name,
        zone=wishes.zone or stands.zone,
    )


def _known(found: OpenedLink, wishes: _Wishes) -> list[str]:
    return [slug for slug in found.newsletter.topic_slugs if slug in wishes.topic]


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidChoice("until", "Choose the day on which letters begin again.") from None


def _as_typed(found: OpenedLink, wishes: _Wishes) -> dict[str, object]:
    """Return what the form shows again after something in it was wrong."""
    stands = _as_it_stands(found.newsletter, found.subscription)
    typed = {"frequency": wishes.frequency, "name": wishes.name or "", "zone": wishes.zone}
    said = {key: value for key, value in typed.items() if value or key == "name"}
    return stands | said | {"topics": _known(found, wishes) or stands["topics"]}


def _as_it_stands(newsletter: Newsletter, subscription: Subscription) -> dict[str, object]:
    slugs = subscription.topics.slugs
    return {
        "topics": newsletter.topic_slugs if EVERYTHING in slugs else slugs,
        "frequency": subscription.frequency.value,
        "name": subscription.name,
        "zone": subscription.zone,
    }


def _show(
    desk: _Desk,
    found: OpenedLink,
    *,
    said: str = "",
    wrong: Mapping[str, str] | None = None,
    shown: Mapping[str, object] | None = None,
    until: str = "",
    email: str = "",
) -> HTMLResponse:
    shown = shown or _as_it_stands(found.newsletter, found.subscription)
    zones = zones_by_region()
    return desk.pages.show(
        "preferences",
        reader=found,
        newsletter=found.newsletter,
        said=said,
        wrong=wrong or {},
        shown=shown,
        until=until,
        email=email,
        zones=zones,
        listed=any(shown["zone"] in names for names in zones.values()),
        tomorrow=found.today + timedelta(days=1),
        may_move=desk.movers is not None,
        may_erase=desk.people is not None,
    )
