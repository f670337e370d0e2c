"""Accepted letters, each with its request and its events so far."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from newsletter.sandbox.events import AcceptedRequest, Event, Shares, events_for
from newsletter.sandbox.letters import ReceivedLetter, letter_for, merged, subject_of
from newsletter.sandbox.routing import ID_DIGITS, RequestContext, RouteNotFound
from newsletter.sandbox.store import StoredRecipient


@dataclass(frozen=True, kw_only=True)
class DeliveredLetter:
    """One recipient's letter, read from the stored request when it is needed."""

    recipient: StoredRecipient
    request: AcceptedRequest
    shares: Shares | None  #: None: none of its events has happened yet

    @property
    def subject(self) -> str:
        """Return the subject as the reader sees it."""
        return subject_of(self.request.message, self._personalization)

    @property
    def custom_args(self) -> dict[str, str]:
        """Return the merged custom arguments."""
        return merged(self.request.message, self._personalization, "custom_args")

    @cached_property
    def letter(self) -> ReceivedLetter:
        """Return the whole letter, filled in."""
        return letter_for(self.request.message, self.recipient.place, self.recipient.email)

    @cached_property
    def events(self) -> list[Event]:
        """Return its events so far, in order."""
        if self.shares is None:
            return []
        return events_for(self.request, self.recipient.place, self.shares, self.recipient.email)

    @property
    def _personalization(self) -> dict[str, Any]:
        return self.request.message["personalizations"][self.recipient.place]


def open_letter(context: RequestContext, number: str) -> DeliveredLetter:
    """Open the letter of this number; RouteNotFound if there is none."""
    fits = number.isdecimal() and len(number) <= ID_DIGITS
    entry = context.store.recipient(int(number)) if fits else None
    for opened in open_letters(context, [entry] if entry else []):
        return opened
    raise RouteNotFound


def open_letters(
    context: RequestContext, entries: Iterable[StoredRecipient]
) -> Iterator[DeliveredLetter]:
    """Open letters, reading each request once; those deleted meanwhile are left out."""
    requests: dict[int, tuple[AcceptedRequest | None, Shares | None]] = {}
    for entry in entries:
        if entry.request_id not in requests:
            happened = context.config.events and not context.store.has_pending_events(
                entry.request_id
            )
            shares = context.config.shares if happened else None
            requests[entry.request_id] = context.store.request(entry.request_id), shares
        request, shares = requests[entry.request_id]
        if request:
            yield DeliveredLetter(recipient=entry, request=request, shares=shares)
