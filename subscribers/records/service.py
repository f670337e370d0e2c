"""The desk of records: find a person, show, tag, note, add, merge, prove, erase."""

import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from subscribers.addresses import Address, email_key, read_address
from subscribers.errors import InvalidChoice, NoSuchSubscriber, NotMerged
from subscribers.model import Subscription, SubscriptionStatus
from subscribers.records.model import (
    ConsentEvidence,
    ConsentRecord,
    NewSubscriber,
    Person,
    PersonIds,
    SearchHit,
)
from subscribers.segments.filters import Filter

NAME_LENGTH = 200  #: characters, as in a list
NOTE_LENGTH = 2000  #: characters
TAG_LENGTH = 50  #: characters

_NOT_IN_TAGS = frozenset(',;"|')  # lists separate by these


@dataclass(frozen=True, kw_only=True)
class WholeList:
    """All of a newsletter's subscriptions that a filter lets through."""

    newsletter: str
    within: Filter


class RecordStore(Protocol):
    """Where the records are kept."""

    def search(
        self, part: str, *, tag: str | None, newsletter: str | None, limit: int
    ) -> tuple[SearchHit, ...]:
        """Return who has this part in the address, and this tag; the newest first."""
        ...

    def id_of(self, email_key: str) -> int | None:
        """Return whose address this is; of a merged one, who was kept."""
        ...

    def person(self, subscriber_id: int) -> Person | None:
        """Return everything of one subscriber; of a merged one, who was kept."""
        ...

    def entries(self, subscriber_id: int) -> tuple[ConsentRecord, ...]:
        """Return every act of consent and every change, the oldest first."""
        ...

    def texts(self, hashes: Collection[str]) -> dict[str, str]:
        """Return those of these that are hashes of words people agreed to."""
        ...

    def tag(
        self,
        chosen: Collection[int] | WholeList,
        tags: Collection[str],
        *,
        off: bool,
        actor: str,
        now: datetime,
    ) -> int:
        """Put tags on, or take them off; return how many subscriptions that changed."""
        ...

    def note(self, subscriber_id: int, text: str, *, actor: str, now: datetime) -> None:
        """Append a note."""
        ...

    def add(self, newcomer: NewSubscriber, address: Address, *, actor: str, now: datetime) -> int:
        """Add a subscription; return its number; raise NotAdded."""
        ...

    def merge(self, keep_id: int, other_id: int, *, actor: str, now: datetime) -> None:
        """Make two subscribers one; raise NotMerged, NoSuchSubscriber."""
        ...

    def traces(self, subscriber_id: int | None, email_key: str | None) -> PersonIds:
        """Return under which numbers somebody is known."""
        ...

    def erase(self, subscriber_id: int | None, email_key: str | None, *, now: datetime) -> None:
        """Delete all of somebody but a keyed hash of each address."""
        ...

    def erased_at(self, email_key: str) -> datetime | None:
        """Return when this address was erased, if it was."""
        ...

    def expire_evidence(self, before: datetime, *, portion: int) -> int:
        """Delete evidence of subscriptions that ended before; return how many rows, at most so."""
        ...


class Records:
    """What the house knows of each person."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def search(
        self, part: str = "", *, tag: str | None = None, newsletter: str | None = None, limit: int
    ) -> tuple[SearchHit, ...]:
        """Return who has this address, or this part of it, and this tag; the newest first."""
        return self._store.search(part.strip().lower(), tag=tag, newsletter=newsletter, limit=limit)

    def id_of(self, email: str) -> int:
        """Return the number of the subscriber of an address; raise NoSuchSubscriber."""
        found = self._store.id_of(email_key(email))
        if found is None:
            raise NoSuchSubscriber(self._unknown(email))
        return found

    def person(self, email: str) -> Person:
        """Return everything of one subscriber; raise NoSuchSubscriber."""
        return self.person_of(self.id_of(email))

    def person_of(self, subscriber_id: int) -> Person:
        """Return everything of the subscriber of this number; raise NoSuchSubscriber."""
        found = self._store.person(subscriber_id)
        if found is None:
            raise NoSuchSubscriber
        return found

    def entries(self, subscriber_id: int) -> tuple[ConsentRecord, ...]:
        """Return every act of consent and every change of a subscriber, the oldest first."""
        return self._store.entries(subscriber_id)

    def evidence(self, email: str) -> ConsentEvidence:
        """Return all that shows what somebody agreed to and took back; raise NoSuchSubscriber."""
        return self.evidence_of(self.id_of(email))

    def evidence_of(self, subscriber_id: int) -> ConsentEvidence:
        """Return all that shows what this subscriber agreed to and took back."""
        person = self.person_of(subscriber_id)
        entries = self._store.entries(person.id)
        said = {text for entry in entries for text in entry.detail.values() if type(text) is str}
        found = person.suppression
        return ConsentEvidence(
            email=person.email,
            name=person.name,
            since=person.since,
            other_addresses=person.other_addresses,
            standing={one.newsletter: standing(one) for one in person.subscriptions},
            suppression=found and f"{found.reason} since {found.since:%Y-%m-%d}, by {found.source}",
            entries=entries,
            texts=self._store.texts(said),
        )

    def tag(
        self,
        chosen: Collection[int] | WholeList,
        tags: Iterable[str],
        *,
        actor: str,
        now: datetime,
    ) -> int:
        """Put tags on subscriptions; return how many that changed; raise InvalidChoice."""
        wanted = [read_tag(tag) for tag in tags]
        return self._store.tag(chosen, wanted, off=False, actor=actor, now=now)

    def untag(
        self,
        chosen: Collection[int] | WholeList,
        tags: Iterable[str],
        *,
        actor: str,
        now: datetime,
    ) -> int:
        """Take tags off subscriptions; return how many that changed."""
        return self._store.tag(chosen, list(tags), off=True, actor=actor, now=now)

    def note(self, subscriber_id: int, text: str, *, actor: str, now: datetime) -> None:
        """Keep a note about a subscriber; raise InvalidChoice."""
        text = text.strip()
        _require(text, "note", "there is nothing in the note")
        _require(len(text) <= NOTE_LENGTH, "note", f"a note has at most {NOTE_LENGTH} characters")
        _require("\x00" not in text, "note", "a control character in the note")
        self._store.note(subscriber_id, text, actor=actor, now=now)

    def add(self, newcomer: NewSubscriber, *, actor: str, now: datetime) -> int:
        """Add one subscriber by hand; return the subscription's number.

        Raises InvalidAddress, InvalidChoice, and NotAdded for who left, was erased, must not be
        written to, or is there already.
        """
        address = read_address(newcomer.email)
        _require(
            newcomer.statement.strip(), "consent", "say where this subscriber's consent came from"
        )
        _require(
            newcomer.zone in zoneinfo.available_timezones(), "zone", "there is no such time zone"
        )
        _require(
            len(newcomer.name) <= NAME_LENGTH and newcomer.name.isprintable(),
            "name",
            f"a name has at most {NAME_LENGTH} characters, on one line",
        )
        return self._store.add(newcomer, address, actor=actor, now=now)

    def merge(self, keep_id: int, other_id: int, *, actor: str, now: datetime) -> None:
        """Make two subscribers one, who is written to at the kept one's address.

        What the other subscribed to moves; where both did, the kept one's choice stands. A goodbye
        of either counts, and one said through an old link or letter of the other is heard. Nothing
        on record is rewritten: the other's row stays as a trace, and is read through.
        """
        if keep_id == other_id:
            raise NotMerged("these two are one subscriber already")
        self._store.merge(keep_id, other_id, actor=actor, now=now)

    def traces(self, subscriber_id: int) -> PersonIds:
        """Return under which numbers a subscriber is known."""
        return self._store.traces(subscriber_id, None)

    def traces_of(self, email: str) -> PersonIds:
        """Return under which numbers an address is known, also one that never subscribed."""
        return self._store.traces(None, email_key(email))

    def erase(self, subscriber_id: int, *, now: datetime) -> None:
        """Delete all of a subscriber but a keyed hash of each address they had."""
        self._store.erase(subscriber_id, None, now=now)

    def erase_address(self, email: str, *, now: datetime) -> None:
        """Delete all that is known of an address but a keyed hash of it."""
        self._store.erase(None, email_key(email), now=now)

    def erased_at(self, email: str) -> datetime | None:
        """Return when this address was erased, if it was."""
        return self._store.erased_at(email_key(email))

    def expire_evidence(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the evidence of subscriptions that ended before; count its rows."""
        return self._store.expire_evidence(before, portion=portion)

    def _unknown(self, email: str) -> str:
        at = self.erased_at(email)
        return f"This address was erased on {at:%Y-%m-%d}: nothing else is known." if at else ""


def standing(one: Subscription) -> str:
    """Say how a subscription stands."""
    if one.undone_at is not None:
        return f"taken back with {one.source}"
    if one.status is SubscriptionStatus.ENDED or one.paused_at is None:
        return one.status.value
    return f"paused until {one.paused_until:%Y-%m-%d}" if one.paused_until else "paused"


def read_tag(text: str) -> str:
    """Return the tag as it is kept; raise InvalidChoice."""
    tag = " ".join(text.split())
    plain = tag and tag.isprintable() and not _NOT_IN_TAGS.intersection(tag)
    _require(plain, "tag", f"{text!r} is no tag")
    _require(len(tag) <= TAG_LENGTH, "tag", f"a tag has at most {TAG_LENGTH} characters")
    return tag


def _require(met: object, field: str, otherwise: str) -> None:
    if not met:
        raise InvalidChoice(field, otherwise)
