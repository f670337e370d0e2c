"""Accepted letters opened: with the request they came in and what has become of them so far."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from newsletter.sandbox.events import Event, Happening, Shares, events_for
from newsletter.sandbox.letters import Letter, letter_for, merged, subject_of
from newsletter.sandbox.routing import NotFound, Room
from newsletter.sandbox.store import Entry


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One recipient's letter."""

    entry: Entry
    happening: Happening
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
    def letter(self) -> Letter:
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


def open_entry(room: Room, number: str) -> Opened:
    """Open the letter of this number; NotFound if there is none."""
    entry = room.store.entry(int(number)) if number.isdecimal() and len(number) < 19 else None  # noqa: PLR2004  # 64 bits
    for opened in open_entries(room, [entry] if entry else []):
        return opened
    raise NotFound


def open_entries(room: Room, entries: Iterable[Entry]) -> Iterator[Opened]:
    """Open letters, each request only once; those cleared away meanwhile are left out."""
    requests: dict[int, tuple[Happening | None, Shares | None]] = {}
    for entry in entries:
        if entry.request_id not in requests:
            happened = room.config.events and not room.store.is_unsettled(entry.request_id)
            shares = room.config.shares if happened else None
            requests[entry.request_id] = room.store.happening(entry.request_id), shares
        happening, shares = requests[entry.request_id]
        if happening:
            yield Opened(entry=entry, happening=happening, shares=shares)
