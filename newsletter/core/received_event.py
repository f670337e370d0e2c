"""ReceivedEvent: an event about a letter, as programs read it afterwards."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from newsletter.core.events import EventKind
from newsletter.core.web_address import is_web_address

#: So old is an event before it is shown: until then an earlier one may still be stored.
COMMITTED_AFTER = timedelta(minutes=1)


class EventPosition(NamedTuple):
    """Where an event stands among those of its issue, in the order in which they came."""

    received_at: datetime
    place: int  #: of the letter in its issue
    key: UUID


#: Before all of them.
BEGINNING = EventPosition(datetime(1970, 1, 1, tzinfo=UTC), 0, UUID(int=0))


#: So much earlier than its plan may an issue's first event be by another machine's clock.
_CLOCKS_DIFFER = timedelta(hours=1)


def first_position(after: EventPosition, planned_at: datetime) -> EventPosition:
    """Return the later one of a position and the first that an event of an issue may have."""
    return max(after, BEGINNING._replace(received_at=planned_at - _CLOCKS_DIFFER))


@dataclass(frozen=True, kw_only=True)
class ReceivedEvent:
    """One event about a letter of an issue, and whose letter it was."""

    position: EventPosition
    kind: EventKind
    at: datetime  #: when it happened
    reader: int | None  #: None: they were erased
    email: str | None  #: that they have now
    reason: str  #: the receiving server's words, or SendGrid's
    url: str | None  #: of the link that was followed


def link_to_show(url: str | None, own_hosts: Collection[str]) -> str | None:
    """Return a link that was followed; None for one of ours, which may open a reader's page."""
    if url is None or not is_web_address(url):
        return None
    host = (urlsplit(url).hostname or "").rstrip(".")
    return None if host in own_hosts else url
