"""The events about the letters of one issue, read back: as they came, or letter by letter."""

from collections.abc import Generator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from newsletter.core.events import EventKind
from newsletter.core.received_event import BEGINNING, EventPosition, ReceivedEvent
from newsletter.stores.look_up import LOOK_UP_UNCOMPILED
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

PORTION = 1_000  #: events
_SHORTEST = timedelta(seconds=1)  #: in which events are looked for first


def _with_readers(chosen: str, order: str) -> str:
    """Return the statement that says of chosen events whose letters they are about."""
    return f"""
    SELECT event.received_at, event.place, event.event_key, event.kind, event.at, event.url,
           COALESCE(event.raw ->> 'reason', event.raw ->> 'response', '') AS reason,
           CASE WHEN letter.subscription_id <> 0 THEN letter.subscriber_id END AS reader,
           addressee.email
      FROM (SELECT * FROM delivery_event
             WHERE issue_id = %(issue)s AND received_at < %(before)s AND {chosen}
             ORDER BY {order} LIMIT %(limit)s) AS event
           LEFT JOIN LATERAL (
               SELECT subscriber_id, subscription_id FROM delivery
                WHERE delivery.issue_id = %(issue)s AND delivery.place = event.place
               OFFSET 0) AS letter ON true
           LEFT JOIN addressee ON addressee.subscription_id = letter.subscription_id
     ORDER BY {order}
"""  # noqa: S608  # our own pieces


#: The comparison of times alone lets their index be used: whoever reads on late reads little.
_RECEIVED = _with_readers(
    """received_at >= %(since)s
       AND (received_at, place, event_key) > (%(since)s, %(place)s, %(event_key)s::uuid)""",
    "received_at, place, event_key",
)

#: By the primary key, so that a portion costs what it holds, however many there are.
_BY_LETTER = _with_readers(
    "(place, event_key) > (%(place)s, %(event_key)s::uuid)", "place, event_key"
)


class ReceivedEventStore(DatabaseStore):
    """Reads events and changes none."""

    def received(
        self, issue_id: int, after: EventPosition, *, before: datetime, limit: int
    ) -> tuple[ReceivedEvent, ...]:
        """Return events of an issue in the order in which they came, from a position on.

        They are looked for in longer and longer times after it, so that a page in the middle of
        an issue sorts little more than it shows, though a million letters have three million.
        """
        found: tuple[ReceivedEvent, ...] = ()
        values = {"since": after.received_at, "limit": limit} | _of(issue_id, after)
        for end in ends(after.received_at, before):
            found = self._read(_RECEIVED, values | {"before": end})
            if len(found) == limit:
                break
        return found

    def by_letter(self, issue_id: int, *, before: datetime) -> Generator[tuple[ReceivedEvent, ...]]:
        """Yield all events of an issue that came before a moment, a portion at a time."""
        last, values = BEGINNING, {"before": before, "limit": PORTION}
        while portion := self._read(_BY_LETTER, values | _of(issue_id, last)):
            yield portion
            last = portion[-1].position

    def _read(self, statement: str, values: Mapping[str, Any]) -> tuple[ReceivedEvent, ...]:
        with transaction(self._engine) as session:
            execute(session, LOOK_UP_UNCOMPILED)
            return tuple(map(_event, rows(session, statement, values)))


def ends(since: datetime, before: datetime) -> Iterator[datetime]:
    """Yield ends of longer and longer times from a moment on; the last one is `before`."""
    span = _SHORTEST
    while span < before - since:
        yield since + span
        span *= 4
    yield before


def _of(issue_id: int, after: EventPosition) -> dict[str, Any]:
    return {"issue": issue_id, "place": after.place, "event_key": after.key}


def _event(row: Mapping[str, Any]) -> ReceivedEvent:
    return ReceivedEvent(
        position=EventPosition(row["received_at"], row["place"], row["event_key"]),
        kind=EventKind(row["kind"]),
        at=row["at"],
        reader=row["reader"],
        email=row["email"],
        reason=row["reason"],
        url=row["url"],
    )
