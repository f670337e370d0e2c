"""What is on record of one person, and the account of it in full for whoever asks."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from subscribers.model import Subscription, Suppression, TopicSet

#: How an account names what a sign-up, a confirmation or an import left on record.
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
    """One thing that is on record of a person."""

    at: datetime
    actor: str  #: who or what did it: "subscriber", "import 12", a person at the command line
    what: str  #: an act of consent, or what was changed
    consent: bool  #: whether it is an act of consent
    newsletter: str | None
    email: str  #: the address it was said of; another than today's after a merge
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SearchHit:
    """A line of what a search found."""

    id: int
    email: str
    name: str
    since: datetime
    merged: bool  #: it turned out to be somebody else's, who is the one kept
    suppressed: str | None  #: why the address must not be written to
    standing: tuple[str, ...]  #: "technology: active", one a subscription
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything of one subscriber."""

    id: int
    email: str
    name: str
    since: datetime
    other_addresses: tuple[str, ...]  #: of subscribers who turned out to be the same person
    subscriptions: tuple[Subscription, ...]
    suppression: Suppression | None
    notes: tuple[ConsentRecord, ...]
    asked: tuple[str, ...]  #: newsletters somebody asked for with this address, not yet confirmed
    new_address: str | None  #: where they wish to be written to, not yet confirmed


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
    """The numbers under which a person is known; other houses find them by these."""

    subscriber_ids: tuple[int, ...] = ()
    subscription_ids: tuple[int, ...] = ()
    signup_ids: tuple[int, ...] = ()
    address_change_ids: tuple[int, ...] = ()
    listed: bool = False  #: the address is on the suppression list, or was

    @property
    def any(self) -> bool:
        """Tell whether the house knows anything."""
        return bool(self.subscriber_ids or self.signup_ids or self.address_change_ids) or (
            self.listed
        )


@dataclass(frozen=True, kw_only=True)
class ConsentEvidence:
    """All that shows what a person agreed to, changed, and took back."""

    email: str
    name: str
    since: datetime
    other_addresses: tuple[str, ...]  #: those of people who turned out to be the same
    standing: Mapping[str, str]  #: by newsletter, how the subscription stands
    suppression: str | None
    entries: tuple[ConsentRecord, ...]
    texts: Mapping[str, str]  #: by their SHA-256, the words that were agreed to


def utc(moment: datetime) -> str:
    """Return a moment as evidence tells it: in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def account(evidence: ConsentEvidence, *, now: datetime) -> str:
    """Return the whole of it as text to be printed."""
    return "\n".join(_account(evidence, now))


def _account(evidence: ConsentEvidence, now: datetime) -> Iterator[str]:
    yield f"Record of consent: {evidence.email}"
    yield f"drawn up {utc(now)}"
    yield ""
    yield f"name            {evidence.name or 'not given'}"
    yield f"on record since {utc(evidence.since)}"
    if evidence.other_addresses:
        yield f"also known as   {', '.join(evidence.other_addresses)}"
    for newsletter, standing in evidence.standing.items():
        yield f"{newsletter:<15} {standing}"
    yield f"suppression     {evidence.suppression or 'none'}"
    for number, entry in enumerate(evidence.entries, start=1):
        yield ""
        yield from _told(number, entry)
    if not evidence.entries:
        yield ""
        yield "No act of consent and no change is on record."
    yield from _texts(evidence.texts)


def _told(number: int, entry: ConsentRecord) -> Iterator[str]:
    about = f" ({entry.newsletter})" if entry.newsletter else ""
    yield f"{number}. {utc(entry.at)}  {entry.what}{about}"
    yield f"   by: {entry.actor}"
    yield f"   address: {entry.email}"
    yield from (f"   {label}: {told}" for label, told in lines_of(entry.detail))


def lines_of(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a record's detail says, each with its label."""
    for key, value in detail.items():
        if value not in (None, "", [], {}):
            yield _LABELS.get(key, key.replace("_", " ")), _plain(value)


def _plain(value: Any) -> str:
    match value:
        case str() | int() | float():
            return str(value)
        case list():
            return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return json.dumps(value, ensure_ascii=False)


def _texts(texts: Mapping[str, str]) -> Iterator[str]:
    for digest, words in texts.items():
        yield ""
        yield f"Consent text {digest}:"
        yield from _indented(words.splitlines())


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"   {line}" for line in lines)
