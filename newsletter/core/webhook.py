"""Webhooks: where events of this installation are posted to, and what each of them says.

The database records an event in the transaction of what happened, by triggers; here it becomes a
payload. See docs/decisions/webhooks-are-an-outbox.md.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from urllib.parse import quote, urlsplit

from newsletter.core.web_address import is_web_address

NAME_LENGTH = 60  #: characters of an endpoint's name
ROTATION = timedelta(hours=24)  #: so long a replaced secret signs beside its successor
_LONGEST = 2_000  #: characters of a URL
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})  #: in practice an endpoint may be here
#: An address anywhere in a text: rather one harmless word too many than one address too few.
_ADDRESS = re.compile(r"""[^\s@<>()\[\],:;"\\]{1,99}(@|%40)[^\s@<>()\[\],:;"'\\]+""")


class WebhookEventKind(StrEnum):
    """What happened. The triggers name all but the last, which tries an endpoint."""

    BRIEF_HELD = "brief.held"
    ISSUE_DRAFTED = "issue.drafted"
    ISSUE_APPROVED = "issue.approved"
    ISSUE_LEFT = "issue.left"
    ISSUE_PAUSED = "issue.paused"
    READER_JOINED = "reader.joined"
    READER_LEFT = "reader.left"
    BATCH_UNKNOWN = "batch.unknown"
    DOUBLING_FOUND = "doubling.found"
    PING = "ping"


#: What an endpoint may choose: a ping comes only when somebody asks for one.
CHOICES = tuple(one for one in WebhookEventKind if one is not WebhookEventKind.PING)


class EndpointState(StrEnum):
    """Whether events are posted to an endpoint now."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class NewEndpoint:
    """A webhook endpoint as somebody asks for it."""

    name: str
    url: str
    events: frozenset[WebhookEventKind]
    newsletters: frozenset[str] = frozenset()  #: none: all of them
    addresses: bool = False  #: whether the addresses of readers may be in payloads


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint(NewEndpoint):
    """Where events are posted to. Its secrets are not part of it."""

    id: int
    state: EndpointState
    reason: str = ""  #: why it is paused
    created_at: datetime
    created_by: str
    former_until: datetime | None = None  #: until then two secrets sign, after a rotation
    failing_since: datetime | None = None  #: since then it took nothing that was posted
    resting_until: datetime | None = None  #: nothing is posted before, since it failed so often

    @property
    def is_active(self) -> bool:
        return self.state is EndpointState.ACTIVE


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """Something that happened, with the facts that were recorded with it: never an address."""

    key: str  #: 32 hexadecimal digits; the same for each endpoint and each try
    kind: WebhookEventKind
    newsletter: str | None  #: None: of none, or, for a brief, of the one that prints its pillar
    at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def id(self) -> str:
        """Return what receivers recognise a repeated event by."""
        return f"evt_{self.key}"


@dataclass(frozen=True, kw_only=True)
class PayloadPlaces:
    """Where what payloads name is found."""

    api: str  #: base URL of the API
    web: str  #: base URL of the web pages


def why_unfit_endpoint(url: str, *, practice: bool) -> str | None:
    """Return why events cannot be posted there; None if they can.

    In practice a program on this machine may take them without TLS.
    """
    if not is_web_address(url) or len(url) > _LONGEST or not url.isascii():
        return "it is not a web address beginning with https://"
    parts = urlsplit(url)
    if parts.scheme != "https" and not (practice and parts.hostname in LOOPBACK):
        return "it must begin with https://"
    if parts.username is not None or parts.password is not None:
        return "it carries a user name or password: the signature shows who posts"
    return "it has a part after #, which no server sees" if parts.fragment else None


def host_of(url: str) -> str:
    """Return what may be said of an endpoint's address: the rest of it may be a secret."""
    return urlsplit(url).hostname or ""


def webhook_secret(key: bytes) -> str:
    """Return a key as a secret is handed over (Standard Webhooks, "Signature scheme")."""
    return f"whsec_{b64encode(key).decode()}"


def without_addresses(words: str) -> str:
    """Return a text in which nobody's address stands."""
    return _ADDRESS.sub("[address]", words)


def payload(
    event: WebhookEvent, places: PayloadPlaces, newsletter: str | None, email: str | None = None
) -> dict[str, Any]:
    """Return what is posted about an event, the same at each try.

    `email` is the reader's, where the endpoint may have it, and as long as they have one.
    """
    data: dict[str, Any] = {"newsletter": newsletter} if newsletter else {}
    data |= _without_addresses(event.facts)
    if email is not None:
        data["reader"] = data.get("reader", {}) | {"email": email}
    if links := _links(data, places, event.kind):
        data["links"] = links
    timestamp = event.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"id": event.id, "type": event.kind.value, "timestamp": timestamp, "data": data}


def _without_addresses(facts: Any) -> Any:
    if isinstance(facts, Mapping):
        pairs = cast("Mapping[str, Any]", facts)
        return {name: _without_addresses(value) for name, value in pairs.items()}
    if isinstance(facts, list):
        return [_without_addresses(each) for each in cast("list[Any]", facts)]
    return without_addresses(facts) if isinstance(facts, str) else facts


def _links(
    data: Mapping[str, Any], places: PayloadPlaces, kind: WebhookEventKind
) -> dict[str, str]:
    """Return where the API says more, and where everybody reads an issue that is out."""
    links = dict[str, str]()
    if issue := data.get("issue"):
        day = f"{quote(str(data.get('newsletter')), safe='')}/{issue['date']}"
        links["issue"] = f"{places.api}/issues/{day}"
        if kind is WebhookEventKind.ISSUE_LEFT:
            links["page"] = f"{places.web}/{day}"
    for name in ("brief", "reader"):
        if about := data.get(name):
            links[name] = f"{places.api}/{name}s/{about['id']}"
    return links
