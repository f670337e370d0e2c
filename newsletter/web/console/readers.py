"""Readers: find one, read why a letter came or did not, and what is on record of them.

An address is posted, so that it stands in no address bar and no proxy's log; each look is recorded
by the reader's number, which an erasure leaves without a meaning.
"""

from collections.abc import Container
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from newsletter.core.history import HistoryLine
from newsletter.services.explain import Explanation
from newsletter.web.console.access import KeepList, Visit
from newsletter.web.console.counting import counting_first
from subscribers.errors import NoSuchSubscriber
from subscribers.model import AudienceCounts
from subscribers.records.model import SearchHit

router = APIRouter()

_MOST = 50  #: readers on a page
_LEAST = 3  #: letters of an address; fewer would list everybody


@router.get("/{slug}/readers")
def readers(request: Request, visit: KeepList) -> HTMLResponse:
    """Show the forms, and how many readers there are."""
    if first := counting_first(request, visit):
        return first
    return _page(request, visit, counts=visit.services.forecasts.audience(visit.here))


@router.post("/{slug}/readers/why")
def why(
    request: Request,
    visit: KeepList,
    address: Annotated[str, Form()],
    on: Annotated[date | None, Form()] = None,
) -> HTMLResponse:
    """Explain what became of an address's letter of a date."""
    found = visit.services.explaining.why(visit.here, address.strip(), on or _latest(visit))
    number = found.subscription and found.subscription.subscriber_id
    visit.services.archive.record_look(visit.actor, number, "explain")
    return _page(request, visit, address=address, on=on, explanation=found)


@router.post("/{slug}/readers/search")
def search(request: Request, visit: KeepList, part: Annotated[str, Form()]) -> HTMLResponse:
    """List the readers whose address has this part."""
    slug = visit.here.readers.newsletter
    enough = len(part.strip()) >= _LEAST
    found = visit.services.records.search(part, newsletter=slug, limit=_MOST) if enough else ()
    visit.services.archive.record_look(visit.actor, None, "search")
    return _page(request, visit, part=part, found=found)


def _page(
    request: Request,
    visit: Visit,
    *,
    address: str = "",
    on: date | None = None,
    explanation: Explanation | None = None,
    part: str = "",
    found: tuple[SearchHit, ...] = (),
    counts: AudienceCounts | None = None,
) -> HTMLResponse:
    """Show the forms with an answer, or with how many readers there are."""
    return visit.services.pages.show(
        request,
        "readers",
        block="answer",
        visit=visit,
        address=address,
        on=on or _latest(visit),
        explanation=explanation,
        part=part,
        found=found,
        too_short=bool(part) and len(part.strip()) < _LEAST,
        most=_MOST,
        counts=counts,
    )


def _latest(visit: Visit) -> date:
    """Return the date of the last issue that was planned; today before the first."""
    return visit.services.archive.last_sent(visit.here) or visit.today


@router.post("/{slug}/readers/{number}")
def reader(
    request: Request, visit: KeepList, number: int, *, whole: Annotated[bool, Form()] = False
) -> HTMLResponse:
    """Show what is on record of one reader in the newsletters whose list one keeps.

    Of many letters it shows the latest, or all if asked for the `whole`. It is posted, since nobody
    looks at a person's record unseen, and a GET writes nothing.
    """
    services = visit.services
    person = services.records.person(number)
    if all(one.newsletter != visit.here.readers.newsletter for one in person.subscriptions):
        raise NoSuchSubscriber
    services.archive.record_look(visit.actor, number, "look")
    seen = {one.slug for one in services.kept_by(visit.member)}
    people = services.people
    lines, has_more = (people.history(number), False) if whole else people.latest(number, seen)
    return services.pages.show(
        request,
        "reader",
        visit=visit,
        person=person,
        subscriptions=[one for one in person.subscriptions if one.newsletter in seen],
        lines=[one for one in reversed(lines) if _within(one, seen)],
        has_more=has_more,
    )


def _within(line: HistoryLine, newsletters: Container[str]) -> bool:
    """Return whether a line is about one of these newsletters, or about none."""
    return not line.about or line.about.split()[0] in newsletters
