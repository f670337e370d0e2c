"""What is on record of one person, and the printed report of it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from subscribers.model import (
    Frequency,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)

Who = int | str  #: a subscriber's number, or an address

#: How a report names what a sign-up, a confirmation or an import left on record.
_LABELS = {
    "form": "form",
    "text": "consent text",
    "ip": "from address",
    "agent": "with",
    "statement": "statement of consent",
    "file": "file",
    "line": "line",
    "from": "before",
    "to": "after",
}


@dataclass(frozen=True, kw_only=True)
class ConsentRecord:
    """One act of consent or one change, on record of a person."""

    at: datetime
    actor: str  #: who or what did it: "subscriber", "import 12", a person at the command line
    what: str  #: an act of consent, or what was changed
    consent: bool  #: whether it is an act of consent
    newsletter: str | None
    email: str  #: the address it was about; another than today's after a merge
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SearchHit:
    """A subscriber that a search found."""

    id: int
    email: str
    name: str
    since: datetime
    merged: bool  #: merged into another subscriber
    suppressed: str | None  #: why the address must not be written to
    statuses: tuple[str, ...]  #: "technology: active", one a subscription
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SubscriberListing:
    """Which subscribers are listed, and what of them is shown; keys are in small letters."""

    email: str | None = None  #: the whole address
    part: str = ""  #: of an address
    tag: str | None = None
    newsletters: frozenset[str] | None = None  #: they have subscribed to one of these; None: to any
    shown: frozenset[str] | None = None  #: nothing is said of their other newsletters
    before: int | None = None  #: only lower numbers


class BulkVerb(StrEnum):
    """What is done to many subscribers at once."""

    SUPPRESS = "suppress"
    UNSUBSCRIBE = "unsubscribe"
    ERASE = "erase"
    TAG = "tag"
    UNTAG = "untag"


class BulkState(StrEnum):
    """What a bulk change does to one row that it was given."""

    CHANGES = "changes"
    ALREADY = "already"  #: there is nothing left to do
    UNKNOWN = "unknown"
    REFUSED = "refused"  #: it is no address
    REPEATED = "repeated"  #: an earlier row has the same address


class BulkRow(NamedTuple):
    """One subscriber who is meant; a tuple, since there may be a million of them."""

    line: int  #: of the file; 0 for a member of a segment
    email: str
    state: BulkState
    subscriber_id: int | None = None
    subscription_ids: tuple[int, ...] = ()  #: those that change
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class BulkChoice:
    """Whom a bulk change means, and how."""

    verb: BulkVerb
    newsletter: str | None = None  #: None: all of them
    tags: tuple[str, ...] = ()
    reason: SuppressionReason = SuppressionReason.MANUAL
    note: str = ""


def counted_states(found: Iterable[BulkRow]) -> Mapping[BulkState, int]:
    counts = Counter(one.state for one in found)
    return {state: counts[state] for state in BulkState}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything of one subscriber."""

    id: int
    email: str
    name: str
    since: datetime
    other_addresses: tuple[str, ...]  #: of subscribers merged into this one
    subscriptions: tuple[Subscription, ...]
    suppression: Suppression | None
    notes: tuple[ConsentRecord, ...]
    pending_signups: tuple[str, ...]  #: newsletters of sign-ups not yet confirmed
    new_address: str | None  #: not yet confirmed


@dataclass(frozen=True, kw_only=True)
class SubscriptionEdit:
    """What is to change of one subscription; None: that stays."""

    topics: TopicSet | None = None
    frequency: Frequency | None = None
    zone: str | None = None
    tags: tuple[str, ...] | None = None
    until: date | None = None  #: nothing is sent until this day
    resume: bool = False  #: the pause ends


@dataclass(frozen=True, kw_only=True)
class NewSubscriber:
    """Somebody whom an operator adds, with a statement of where the consent came from."""

    email: str
    newsletter: str
    statement: str
    zone: str
    topics: TopicSet = TopicSet.of(())  # noqa: RUF009  # frozen
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class PersonIds:
    """The numbers under which a person is known, also outside this package."""

    subscriber_ids: tuple[int, ...] = ()
    subscription_ids: tuple[int, ...] = ()
    signup_ids: tuple[int, ...] = ()
    address_change_ids: tuple[int, ...] = ()
    listed: bool = False  #: the address is on the suppression list, or was

    @property
    def any(self) -> bool:
        known = self.subscriber_ids or self.signup_ids or self.address_change_ids
        return bool(known) or self.listed


@dataclass(frozen=True, kw_only=True)
class ConsentEvidence:
    """All that shows what a person agreed to, changed, and withdrew."""

    email: str
    name: str
    since: datetime
    other_addresses: tuple[str, ...]  #: of subscribers merged into this one
    statuses: Mapping[str, str]  #: of the subscription, by newsletter
    suppression: str | None
    entries: tuple[ConsentRecord, ...]
    texts: Mapping[str, str]  #: by their SHA-256, the words that were agreed to


def utc(moment: datetime) -> str:
    """Return a moment as reports print it: in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def consent_report(evidence: ConsentEvidence, *, now: datetime) -> str:
    return "\n".join(_report(evidence, now))


def _report(evidence: ConsentEvidence, now: datetime) -> Iterator[str]:
    yield f"Record of consent: {evidence.email}"
    yield f"printed {utc(now)}"
    yield ""
    yield f"name            {evidence.name or 'not given'}"
    yield f"on record since {utc(evidence.since)}"
    if evidence.other_addresses:
        yield f"also known as   {', '.join(evidence.other_addresses)}"
    for newsletter, status in evidence.statuses.items():
        yield f"{newsletter:<15} {status}"
    yield f"suppression     {evidence.suppression or 'none'}"
    for number, entry in enumerate(evidence.entries, start=1):
        yield ""
        yield from _entry(number, entry)
    if not evidence.entries:
        yield ""
        yield "No act of consent and no change is on record."
    yield from _texts(evidence.texts)


def _entry(number: int, entry: ConsentRecord) -> Iterator[str]:
    about = f" ({entry.newsletter})" if entry.newsletter else ""
    yield f"{number}. {utc(entry.at)}  {entry.what}{about}"
    yield f"   by: {entry.actor}"
    yield f"   address: {entry.email}"
    yield from (f"   {label}: {text}" for label, text in detail_lines(entry.detail))


def detail_lines(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a record's detail says, each with its label."""
    for key, value in detail.items():
        if value not in (None, "", [], {}):
            yield _LABELS.get(key, key.replace("_", " ")), _plain(value)


def _plain(value: Any) -> str:
    match value:
        case str() | int() | float():
            return str(value)
        case list():
            return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]  # JSON
        case _:
            return json.dumps(value, ensure_ascii=False)


def _texts(texts: Mapping[str, str]) -> Iterator[str]:
    for digest, words in texts.items():
        yield ""
        yield f"Consent text {digest}:"
        yield from (f"   {line}" for line in words.splitlines())


def status_text(one: Subscription) -> str:
    """Return a subscription's status as people read it."""
    if one.undone_at is not None:
        return f"undone with {one.source}"
    if one.status is SubscriptionStatus.ENDED or one.paused_at is None:
        return one.status.value
    return f"paused until {one.paused_until:%Y-%m-%d}" if one.paused_until else "paused"
