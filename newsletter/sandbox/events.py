"""Simulated outcomes of accepted letters, and their events.

The address decides the outcome, so that runs repeat. A tag behind a plus chooses one:
`anyone+bounce@example.com` bounces. Fields and values follow the Event Webhook reference.
"""

import base64
import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import ConfigDict, with_config

Event = dict[str, Any]


class LetterOutcome(StrEnum):
    """What happens to one letter."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"  #: first deferred, then delivered
    BOUNCE = "bounce"
    BLOCKED = "blocked"
    DROPPED = "dropped"  #: the address had bounced before
    INVALID = "invalid"  #: dropped, because no such address can exist
    OPEN = "open"
    CLICK = "click"  #: opened, and followed a link
    SPAMREPORT = "spamreport"
    UNSUBSCRIBE = "unsubscribe"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class Shares:
    """Share of all letters with each outcome, from 0 to 1; the rest is just delivered."""

    bounce: float = 0.02
    blocked: float = 0.0
    dropped: float = 0.01
    invalid: float = 0.0
    deferred: float = 0.01
    spamreport: float = 0.001
    unsubscribe: float = 0.0
    click: float = 0.08  #: counted among those who open
    open: float = 0.30

    def __post_init__(self) -> None:
        for share in fields(self):
            if not 0 <= getattr(self, share.name) <= 1:
                raise ValueError(f"share {share.name} must be between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class AcceptedRequest:
    """An accepted request, as far as its events need it."""

    request_id: int
    message_id: str  #: X-Message-Id
    accepted: int  #: seconds since the epoch
    message: dict[str, Any]
    posted: int = 0  #: how many of its events, in the order of `events_of`
    done: bool = False  #: whether that is all of them


_OUTCOMES = frozenset(outcome.value for outcome in LetterOutcome)
_TROUBLES = (
    LetterOutcome.BOUNCE, LetterOutcome.BLOCKED, LetterOutcome.DROPPED, LetterOutcome.INVALID,
    LetterOutcome.DEFERRED,
)  # fmt: skip
_COMPLAINTS = (LetterOutcome.SPAMREPORT, LetterOutcome.UNSUBSCRIBE)
_MACHINE_SHARE = 0.25  #: of the opens without a click: prefetched by a machine
_ANCHOR = re.compile(  # clicktracking=off stands before href, as SendGrid asks for it
    r"""<a\b[^>]*?(?:(clicktracking=["']?off)[^>]*?)?\bhref=["'](https?://[^"']+)""", re.IGNORECASE
)
_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
_MACHINE = "Mozilla/5.0"


def addresses(personalization: dict[str, Any]) -> Iterator[str]:
    """Yield the addresses as they were given: to, then cc, then bcc."""
    for role in ("to", "cc", "bcc"):
        for mailbox in personalization.get(role, ()):
            yield mailbox["email"]


def merged(message: dict[str, Any], personalization: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the message's object `name`, overlaid with the personalization's."""
    return {**message.get(name, {}), **personalization.get(name, {})}


def outcome_of(email: str, shares: Shares) -> LetterOutcome:
    tag = email.partition("@")[0].rpartition("+")[2]
    if "+" in email and tag in _OUTCOMES:
        return LetterOutcome(tag)
    trouble, interest, _ = _draws(email)
    for outcome in _TROUBLES:
        trouble -= getattr(shares, outcome)
        if trouble < 0:
            return outcome
    for outcome in _COMPLAINTS:
        interest -= getattr(shares, outcome)
        if interest < 0:
            return outcome
    if interest < shares.click:
        return LetterOutcome.CLICK
    return LetterOutcome.OPEN if interest < shares.open else LetterOutcome.DELIVERED


def events_of(
    request: AcceptedRequest,
    shares: Shares,
    *,
    duplicates: float = 0.0,
    shuffle: bool = False,
    seed: int = 0,
) -> list[Event]:
    """Return all events of a request, in the order they are posted; the same on every call."""
    dice = random.Random(f"{seed}:{request.message_id}")  # noqa: S311  # no secret
    events = [
        event
        for place in range(len(request.message["personalizations"]))
        for event in events_for(request, place, shares)
    ]
    events += [_again(event, dice) for event in events if dice.random() < duplicates]
    if shuffle:
        dice.shuffle(events)
    return events


def events_for(
    request: AcceptedRequest, place: int, shares: Shares, key: str | None = None
) -> list[Event]:
    """Return the events of one personalization in order; with `key`, of that folded address."""
    one = request.message["personalizations"][place]
    return [
        event
        for email in addresses(one)
        if key is None or email.lower() == key
        for event in _series(request, place, email, shares)
    ]


def sg_message_id(request: AcceptedRequest, place: int) -> str:
    """Return the id of one letter: its request's id and the place of its personalization."""
    return f"{request.message_id}.recvd-sandbox-{request.request_id}.{place}"


def _series(request: AcceptedRequest, place: int, email: str, shares: Shares) -> Iterator[Event]:
    message = request.message
    one = message["personalizations"][place]
    outcome = outcome_of(email.lower(), shares)
    link = _link(message, email) if outcome is LetterOutcome.CLICK else None
    common: Event = {
        **merged(message, one, "custom_args"),  # SendGrid's own names win
        "email": email,
        "timestamp": request.accepted,
        "sg_message_id": sg_message_id(request, place),
    }
    if categories := message.get("categories"):
        common["category"] = categories[0] if len(categories) == 1 else categories
    smtp_id = merged(message, one, "headers").get("Message-ID", f"<{request.message_id}@sandbox>")
    for number, specific in enumerate(_steps(outcome, email, link)):
        event_id = _opaque(f"{request.message_id}:{email}:{number}")
        event = {**common, **specific, "sg_event_id": event_id}
        if specific["event"] not in _ENGAGEMENT:
            event["smtp-id"] = smtp_id
        yield event


_ENGAGEMENT = frozenset({"open", "click", "spamreport", "unsubscribe"})
_PROCESSED: Event = {"event": "processed"}
_ANSWERED: Event = {"ip": "192.0.2.25", "tls": 1}  #: by the reader's mail server
_DROPPED: Event = {"event": "dropped", "status": "5.0.0"}
_BOUNCED: Event = {
    "event": "bounce",
    "type": "bounce",
    "status": "5.1.1",
    "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
    "bounce_classification": "Invalid Address",
    **_ANSWERED,
}
_BLOCKED: Event = {
    "event": "bounce",
    "type": "blocked",
    "status": "4.7.1",
    "reason": "421 4.7.1 Messages from 192.0.2.25 temporarily deferred.",
    "bounce_classification": "Reputation",
    **_ANSWERED,
}
_UNDELIVERED: dict[LetterOutcome, tuple[Event, ...]] = {
    LetterOutcome.DROPPED: ({**_DROPPED, "reason": "Bounced Address"},),
    LetterOutcome.INVALID: ({**_DROPPED, "reason": "Invalid"},),
    LetterOutcome.BOUNCE: (_PROCESSED, _BOUNCED),
    LetterOutcome.BLOCKED: (_PROCESSED, _BLOCKED),
}
_DEFERRED: Event = {
    "event": "deferred",
    "response": "450 4.2.1 The mailbox is receiving mail too quickly. Try again later.",
    "attempt": "1",
}
_DELIVERED: Event = {"event": "delivered", "response": "250 2.0.0 OK", **_ANSWERED}
_ENGAGED: Event = {"ip": "198.51.100.7", "useragent": _PHONE}


def _steps(outcome: LetterOutcome, email: str, link: tuple[int, str] | None) -> Iterator[Event]:
    if outcome in _UNDELIVERED:
        yield from _UNDELIVERED[outcome]
        return
    yield _PROCESSED
    if outcome is LetterOutcome.DEFERRED:
        yield _DEFERRED
    yield _DELIVERED
    if outcome in {LetterOutcome.OPEN, LetterOutcome.CLICK}:
        machine = outcome is LetterOutcome.OPEN and _draws(email.lower())[2] < _MACHINE_SHARE
        opened: Event = {"event": "open", "sg_machine_open": machine, "sg_content_type": "html"}
        yield {**_ENGAGED, **opened, **({"useragent": _MACHINE} if machine else {})}
    if link:
        offset = {"index": link[0], "type": "html"}
        yield {**_ENGAGED, "event": "click", "url": link[1], "url_offset": offset}
    if outcome in _COMPLAINTS:
        yield {"event": str(outcome)}


def _again(event: Event, dice: random.Random) -> Event:
    # A duplicate has the same sg_event_id or a new one: users of SendGrid report both.
    if dice.random() < 0.5:  # noqa: PLR2004  # a fair coin
        return event
    return {**event, "sg_event_id": _opaque(event["sg_event_id"])}


def _link(message: dict[str, Any], email: str) -> tuple[int, str] | None:
    html = next((c["value"] for c in message.get("content", ()) if c["type"] == "text/html"), "")
    links = _links(html)
    return links[int(_draws(email.lower())[2] * len(links))] if links else None


@lru_cache(maxsize=8)
def _links(html: str) -> list[tuple[int, str]]:
    """Return the links SendGrid would track, each with its place among all links."""
    found = enumerate(_ANCHOR.findall(html))
    return [(index, href) for index, (off, href) in found if not off]


def _draws(email: str) -> tuple[float, float, float]:
    digest = hashlib.blake2b(email.encode(), digest_size=12).digest()
    one, two, three = (int.from_bytes(digest[at : at + 4]) / 2**32 for at in (0, 4, 8))
    return one, two, three


def _opaque(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
