"""Records of people: search, show, tag, add notes, add, merge, report consent, erase."""

import zoneinfo
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from psycopg.types.json import Jsonb
from sqlalchemy import Engine
from sqlmodel import Session

from subscribers.addresses import email_key, read_address
from subscribers.db.merging import merge
from subscribers.db.record_tables import ChangeRow
from subscribers.db.statements import INSERT_CHANGE
from subscribers.db.transaction import execute, transaction
from subscribers.errors import InvalidChoice, NoSuchSubscriber, NotMerged
from subscribers.model import NAME_LENGTH, TAG_LENGTH, Subscription
from subscribers.records import erasure, reading
from subscribers.records.adding import add
from subscribers.records.changing import change, lock_as_read, rename
from subscribers.records.model import (
    ConsentEvidence,
    ConsentRecord,
    NewSubscriber,
    Person,
    PersonIds,
    SearchHit,
    SubscriberListing,
    SubscriptionEdit,
    Who,
    status_text,
)
from subscribers.subscriptions.choices import plain_name

NOTE_LENGTH = 2000  #: characters

_NOT_IN_TAGS = frozenset(',;"|')  # lists separate by these

_ADDED = "SELECT DISTINCT tag FROM unnest(tags || %(tags)s::text[]) AS tag ORDER BY tag"
_REMOVED = "SELECT tag FROM unnest(tags) AS tag WHERE tag <> ALL(%(tags)s::text[])"
_LACKS_ONE, _HAS_ONE = "NOT tags @> %(tags)s::text[]", "tags && %(tags)s::text[]"


def _tag(tags: str, changes: str) -> str:
    """Return the statement that gives chosen subscriptions tags, where that changes anything.

    Only what changes is recorded. Rows are locked in the one order of all writers of this table.
    """
    return f"""
WITH locked AS (
    SELECT id FROM subscription WHERE id = ANY(%(ids)s) AND undone_at IS NULL
     ORDER BY id FOR NO KEY UPDATE
), changed AS (
    UPDATE subscription SET tags = ARRAY({tags})
    FROM locked WHERE subscription.id = locked.id AND {changes}
    RETURNING subscriber_id, newsletter
)
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(at)s, %(actor)s, %(what)s, %(detail)s FROM changed
"""


class Records:
    """Finds people, shows and changes what is recorded about them, and erases it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search(
        self, part: str = "", *, tag: str | None = None, newsletter: str | None = None, limit: int
    ) -> tuple[SearchHit, ...]:
        """Return who has this address, or this part of it, and this tag; the newest first."""
        part = part.strip().lower()
        with transaction(self._engine) as session:
            return reading.search(session, part, tag=tag, newsletter=newsletter, limit=limit)

    def listed(self, which: SubscriberListing, *, limit: int) -> tuple[SearchHit, ...]:
        """Return a part of a list of subscribers, the newest first."""
        with transaction(self._engine) as session:
            return reading.listed(session, which, limit=limit)

    def id_of(self, email: str) -> int:
        """Return the number of the subscriber of an address; raise NoSuchSubscriber."""
        with transaction(self._engine) as session:
            found = reading.subscriber_id_of(session, email_key(email))
        if found is None:
            at = self.erased_at(email)
            raise NoSuchSubscriber(
                f"This address was erased on {at:%Y-%m-%d}: nothing else is known." if at else ""
            )
        return found

    def person(self, who: Who) -> Person:
        """Return everything of one subscriber; raise NoSuchSubscriber."""
        number = self.id_of(who) if isinstance(who, str) else who
        with transaction(self._engine) as session:
            found = reading.person(session, number)
        if found is None:
            raise NoSuchSubscriber
        return found

    def entries(self, subscriber_id: int) -> tuple[ConsentRecord, ...]:
        """Return every act of consent and every change of a subscriber, the oldest first."""
        with transaction(self._engine) as session:
            return reading.entries(session, subscriber_id)

    def evidence(self, who: Who) -> ConsentEvidence:
        """Return all that shows what somebody agreed to and withdrew; raise NoSuchSubscriber."""
        person = self.person(who)
        with transaction(self._engine) as session:
            entries = reading.entries(session, person.id)
            words = {text for one in entries for text in one.detail.values() if type(text) is str}
            texts = reading.consent_texts(session, words)
        found = person.suppression
        return ConsentEvidence(
            email=person.email,
            name=person.name,
            since=person.since,
            other_addresses=person.other_addresses,
            statuses={one.newsletter: status_text(one) for one in person.subscriptions},
            suppression=found and f"{found.reason} since {found.since:%Y-%m-%d}, by {found.source}",
            entries=entries,
            texts=texts,
        )

    def tag(
        self,
        chosen: Collection[int],
        tags: Iterable[str],
        *,
        off: bool = False,
        actor: str,
        now: datetime,
    ) -> int:
        """Put tags on subscriptions, or take them off; return how many that changed.

        Raises InvalidChoice for what is no tag, unless it is taken off.
        """
        wanted = sorted(tags if off else map(read_tag, tags))
        with transaction(self._engine) as session:
            return _put_tags(session, list(chosen), wanted, off=off, actor=actor, now=now)

    def change(
        self,
        read: Person,
        edits: Mapping[str, SubscriptionEdit],
        *,
        name: str | None,
        actor: str,
        now: datetime,
    ) -> None:
        """Change a subscriber's name and subscriptions, by newsletter: all of it, or nothing.

        A new name is recorded with the first of these newsletters. ConcurrentChange where they are
        not as they were read; InvalidChoice for what is no tag or no name. The other choices were
        checked before.
        """
        of = {one.newsletter: one for one in read.subscriptions}
        with transaction(self._engine) as session:
            lock_as_read(session, read)
            if name is not None and edits:
                first = of[next(iter(edits))]
                rename(session, first, plain_name(name), actor=actor, now=now)
            for slug, edit in edits.items():
                change(session, of[slug], edit, actor=actor, now=now)
                _retag(session, of[slug], edit, actor=actor, now=now)

    def note(self, subscriber_id: int, text: str, *, actor: str, now: datetime) -> None:
        """Add a note about a subscriber; raise InvalidChoice."""
        text = text.strip()
        _require(text, "note", "there is nothing in the note")
        _require(len(text) <= NOTE_LENGTH, "note", f"a note has at most {NOTE_LENGTH} characters")
        _require("\x00" not in text, "note", "a control character in the note")
        said = ChangeRow(
            subscriber_id=subscriber_id, at=now, actor=actor, what="note", detail={"note": text}
        )
        with transaction(self._engine) as session:
            session.add(said)

    def add(self, new: NewSubscriber, *, actor: str, now: datetime) -> int:
        """Add one subscriber by hand; return the subscription's number.

        Raises InvalidAddress, InvalidChoice, and NotAdded for who left, was erased, must not be
        written to, or is there already.
        """
        address = read_address(new.email)
        zones, readable = zoneinfo.available_timezones(), new.name.isprintable()
        _require(new.statement.strip(), "consent", "say where this subscriber's consent came from")
        _require(new.zone in zones, "zone", "there is no such time zone")
        wrong = f"a name has at most {NAME_LENGTH} characters, on one line"
        _require(len(new.name) <= NAME_LENGTH and readable, "name", wrong)
        with transaction(self._engine) as session:
            return add(session, new, address, actor=actor, now=now)

    def merge(self, keep_id: int, other_id: int, *, actor: str, now: datetime) -> None:
        """Make two subscribers one, who is written to at the kept one's address.

        What the other subscribed to moves; where both did, the kept one's choice stands. An
        unsubscribe of either counts, also one through an old link or email of the other. No record
        is rewritten: the other's row stays as a trace.
        """
        if keep_id == other_id:
            raise NotMerged("both addresses already belong to one subscriber")
        with transaction(self._engine) as session:
            merge(session, keep_id, other_id, actor=actor, now=now)

    def person_ids(self, who: Who) -> PersonIds:
        """Return under which numbers somebody is known, also an address that never subscribed."""
        with transaction(self._engine) as session:
            return erasure.person_ids(session, who)

    def erase(self, who: Who, *, now: datetime) -> None:
        """Delete all that is known of somebody but a keyed hash of each address they had."""
        with transaction(self._engine) as session:
            erasure.erase(session, who, now=now)

    def erased_at(self, email: str) -> datetime | None:
        """Return when this address was erased, if it was."""
        with transaction(self._engine) as session:
            return erasure.erased_at(session, email_key(email))

    def expire_evidence(self, before: datetime, *, portion: int) -> int:
        """Delete a portion of the records of subscriptions that ended before; count the rows."""
        with transaction(self._engine) as session:
            return erasure.expire_evidence(session, before, portion)


def _put_tags(
    session: Session, ids: list[int], tags: list[str], *, off: bool, actor: str, now: datetime
) -> int:
    values = {
        "actor": actor,
        "at": now,
        "detail": Jsonb({"tags": tags}),
        "ids": ids,
        "tags": tags,
        "what": "untagged" if off else "tagged",
    }
    statement = _tag(_REMOVED, _HAS_ONE) if off else _tag(_ADDED, _LACKS_ONE)
    return execute(session, statement, values)


def _retag(
    session: Session, one: Subscription, edit: SubscriptionEdit, *, actor: str, now: datetime
) -> None:
    """Give a subscription these tags and no others."""
    if edit.tags is None:
        return
    before, after = set(one.tags), set(map(read_tag, edit.tags))
    for tags, off in ((after - before, False), (before - after, True)):
        if tags:
            _put_tags(session, [one.id], sorted(tags), off=off, actor=actor, now=now)


def read_tag(text: str) -> str:
    """Return the tag as it is stored; raise InvalidChoice."""
    tag = " ".join(text.split())
    plain = tag and tag.isprintable() and not _NOT_IN_TAGS.intersection(tag)
    _require(plain, "tag", f"{text!r} is no tag")
    _require(len(tag) <= TAG_LENGTH, "tag", f"a tag has at most {TAG_LENGTH} characters")
    return tag


def _require(met: object, field: str, otherwise: str) -> None:
    if not met:
        raise InvalidChoice(field, otherwise)
