"""The events about the letters of one issue: part by part as they came, or all at once."""

from collections.abc import Generator
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query
from pydantic import Field

from newsletter.core.api_token import Scope
from newsletter.core.events import EventKind
from newsletter.core.received_event import BEGINNING, EventPosition, ReceivedEvent
from newsletter.core.stored import StoredIssue
from newsletter.core.webhook import without_addresses
from newsletter.web.api.access import Caller, ReadEvents
from newsletter.web.api.cursors import Part, cursor_of, strange_cursor
from newsletter.web.api.readers_here import record_look
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ApiModel, ListPage
from newsletter.web.api.streams import DESCRIBED, LineStream

router = api_router()

IssueDate = Annotated[date, Query(alias="issue", description="The issue's date.")]


class EventItem(ApiModel):
    """What was reported of one letter."""

    id: str = Field(description="The same whenever it is read.")
    cursor: str | None = Field(description="As `after`, it leads on from here, also later.")
    kind: EventKind = Field(description="What a machine did, as far as can be told, says so.")
    at: datetime = Field(description="When it happened.")
    received: datetime
    reader: int | None = Field(description="Their number; null: they were erased.")
    email: str | None = Field(description="Only for a token that has readers:read as well.")
    reason: str = Field(description="What the receiving server said; for most events empty.")
    url: str | None = Field(description="The link that was followed, unless it is one of ours.")

    @classmethod
    def of(cls, one: ReceivedEvent, *, cursor: str | None, addresses: bool) -> Self:
        received, place, key = one.position
        return cls.like(
            one,
            id=f"{place}-{key.hex}",
            cursor=cursor,
            received=received,
            email=one.email if addresses else None,
            reason=one.reason if addresses else without_addresses(one.reason),
            url=one.url if addresses or one.url is None else without_addresses(one.url),
        )


@router.get("/events")
def events(caller: ReadEvents, part: Part, newsletter: str, on: IssueDate) -> ListPage[EventItem]:
    """List the events about an issue's letters in the order in which they were received.

    Each is shown a minute after it came. A letter has several, and the same one more than once.
    """
    stored, name = _issue(caller, newsletter, on), f"events {newsletter} {on}"
    given = part.values(name)
    after = BEGINNING if given is None else _position(given)
    found = caller.services.received_events.of(stored, after, limit=part.rows)
    addresses = _sees_addresses(caller)

    def show(one: ReceivedEvent) -> EventItem:
        return EventItem.of(one, cursor=cursor_of(name, *_values(one)), addresses=addresses)

    return part.page(name, found, show=show, key=_values)


@router.get("/events/export", status_code=200, response_class=LineStream, responses=DESCRIBED)
def export(caller: ReadEvents, newsletter: str, on: IssueDate) -> LineStream:
    """Stream all events about an issue's letters, letter by letter: a JSON object a line."""
    stored = _issue(caller, newsletter, on)
    lines = _lines(caller, stored, addresses=_sees_addresses(caller))
    return LineStream(lines, caller.is_still_admitted)


def _lines(caller: Caller, stored: StoredIssue, *, addresses: bool) -> Generator[bytes]:
    for portion in caller.services.received_events.all_of(stored):
        shown = (EventItem.of(one, cursor=None, addresses=addresses) for one in portion)
        yield "".join(f"{one.model_dump_json()}\n" for one in shown).encode()


def _issue(caller: Caller, newsletter: str, on: date) -> StoredIssue:
    return caller.services.publishing.issue(caller.newsletter(newsletter), on)


def _sees_addresses(caller: Caller) -> bool:
    """Return whether addresses are shown; that they were is recorded."""
    shown = caller.may(Scope.READERS_READ)
    if shown:
        record_look(caller, None, "events")
    return shown


def _values(one: ReceivedEvent) -> tuple[str, int, str]:
    received, place, key = one.position
    return received.isoformat(), place, key.hex


def _position(given: list[object]) -> EventPosition:
    try:
        match given:
            case [str(received), int(place), str(key)] if 0 <= place < 2**31:
                moment = datetime.fromisoformat(received)
                if moment.tzinfo is not None:
                    return EventPosition(moment, place, UUID(key))
            case _:
                pass
    except ValueError:
        pass
    raise strange_cursor()
