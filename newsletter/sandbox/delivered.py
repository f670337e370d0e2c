"""Accepted letters opened: with the request they came in and what has become of them so far."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from newsletter.sandbox.events import Event, Shares, SimulatedEvent, events_for
from newsletter.sandbox.letters import ReceivedLetter, letter_for, merged, subject_of
from newsletter.sandbox.routing import RequestContext, RouteNotFound
from newsletter.sandbox.store import StoredRequest


@dataclass(frozen=True, kw_only=True)
class DeliveredLetter:
    """One recipient's letter."""

    entry: StoredRequest
    happening: SimulatedEvent
    shares: Shares | None  #: None: none of its events has happened yet

    @property
    def subject(self) -> str:
        """Return the subject as the reader sees it."""
        return subject_of(self.happening.message, self._personalization)

    @property
    def custom_args(self) -> dict[str, str]:
        """Return the merged custom arguments."""
        return merged(self.happening.message, self._personalization, "custom_args")

    @cached_property
    def letter(self) -> ReceivedLetter:
        """Return the whole letter, filled in."""
        return letter_for(self.happening.message, self.entry.place, self.entry.email)

    @cached_property
    def events(self) -> list[Event]:
        """Return its events so far, in order."""
        if self.shares is None:
            return []
        return events_for(self.happening, self.entry.place, self.shares, self.entry.email)

    @property
    def _personalization(self) -> dict[str, Any]:
        return self.happening.message["personalizations"][self.entry.place]


def open_entry(room: RequestContext, number: str) -> DeliveredLetter:
    """Open the letter of this number; NotFound if there is none."""
    entry = room.store.entry(int(number)) if number.isdecimal() and len(number) < 19 else None  # noqa: PLR2004  # 64 bits
    for opened in open_entries(room, [entry] if entry else []):
        return opened
    raise RouteNotFound


def open_entries(
    room: RequestContext, entries: Iterable[StoredRequest]
) -> Iterator[DeliveredLetter]:
    """Open letters, each request only once; those cleared away meanwhile are left out."""
    requests: dict[int, tuple[SimulatedEvent | None, Shares | None]] = {}
    for entry in entries:
        if entry.request_id not in requests:
            happened = room.config.events and not room.store.is_unsettled(entry.request_id)
            shares = room.config.shares if happened else None
            requests[entry.request_id] = room.store.happening(entry.request_id), shares
        happening, shares = requests[entry.request_id]
        if happening:
            yield DeliveredLetter(entry=entry, happening=happening, shares=shares)
