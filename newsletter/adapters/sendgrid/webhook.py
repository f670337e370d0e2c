"""The event webhook: SendGrid's signature first, then its words turned into ours."""

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.adapters.sendgrid.payload import ATTEMPT_ARG, DELIVERY_ARG
from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.errors import ConfigurationError, EventNotAuthentic

SIGNATURE_HEADER = "x-twilio-email-event-webhook-signature"
TIMESTAMP_HEADER = "x-twilio-email-event-webhook-timestamp"

#: SendGrid's words for ours. A `bounce` of type `blocked` and a machine's `open` are told apart.
_KINDS = {
    "processed": EventKind.PROCESSED,
    "dropped": EventKind.DROPPED,
    "deferred": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.BOUNCED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "group_resubscribe": EventKind.RESUBSCRIBED,
}

#: PostgreSQL keeps neither in a text: NUL, and halves of characters that JSON can spell.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_YEAR_3000 = 32_503_680_000  #: seconds; milliseconds by mistake lie beyond


class SendGridEvents:
    """Reads posts of the event webhook, signed with this public key."""

    def __init__(self, public_key: str | None) -> None:
        self._key = _public_key(public_key) if public_key else None

    def read(self, body: bytes, headers: Mapping[str, str]) -> tuple[DeliveryEvent, ...]:
        """Return the events of a post; EventNotAuthentic unless SendGrid signed these very bytes.

        `headers` have lower-case names. An event that makes no sense is kept as UNKNOWN.
        """
        self._verify(body, headers)
        try:
            return tuple(_event(one) for one in _objects(json.loads(body)))
        except (ValueError, RecursionError) as error:
            raise EventNotAuthentic("signed, but not a JSON array") from error

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        if self._key is None:
            raise EventNotAuthentic("no public key is configured: SENDGRID_WEBHOOK_KEY")
        timestamp = headers.get(TIMESTAMP_HEADER, "")
        try:
            signature = base64.b64decode(headers.get(SIGNATURE_HEADER, ""), validate=True)
            self._key.verify(signature, timestamp.encode() + body, ECDSA(SHA256()))
        except (InvalidSignature, ValueError) as error:
            raise EventNotAuthentic from error


def _public_key(text: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("SENDGRID_WEBHOOK_KEY is not a public key") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ConfigurationError("SENDGRID_WEBHOOK_KEY is not an elliptic-curve key")
    return key


def _objects(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise ValueError("not an array")  # noqa: TRY004  # as wrong as what is not JSON
    return [one for one in cast("list[Any]", found) if isinstance(one, dict)]


def _event(posted: dict[str, Any]) -> DeliveryEvent:
    # The address is on file already; kept here it would outlive its owner's erasure.
    raw = _storable({n: v for n, v in posted.items() if n != "email"}, str(posted.get("email")))
    return DeliveryEvent(
        event_id=_event_id(posted),
        kind=_kind(raw),
        delivery_id=_whole_number(raw.get(DELIVERY_ARG)),
        attempt_id=str(raw[ATTEMPT_ARG]) if raw.get(ATTEMPT_ARG) else None,
        at=_moment(raw.get("timestamp")),
        reason=str(raw.get("reason") or raw.get("response") or ""),
        raw=raw,
    )


def _storable(value: Any, email: str) -> Any:
    """Return a JSON value as PostgreSQL can keep it, without this address."""
    match value:
        case str():
            return _without(email, _UNSTORABLE.sub("\ufffd", value))
        case dict():
            pairs = cast("dict[str, Any]", value).items()
            return {_storable(name, email): _storable(part, email) for name, part in pairs}
        case list():
            return [_storable(part, email) for part in cast("list[Any]", value)]
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value


def _without(email: str, text: str) -> str:
    # Receiving servers like to quote the address in their answers.
    if "@" not in email or email.casefold() not in text.casefold():
        return text
    return re.sub(re.escape(email), "(the address)", text, flags=re.IGNORECASE)


def _kind(raw: dict[str, Any]) -> EventKind:
    kind = _KINDS.get(str(raw.get("event")), EventKind.UNKNOWN)
    if kind is EventKind.BOUNCED and raw.get("type", "bounce") != "bounce":
        return EventKind.BLOCKED
    if kind is EventKind.OPENED and raw.get("sg_machine_open") is True:
        return EventKind.OPENED_BY_MACHINE
    return kind


def _event_id(posted: dict[str, Any]) -> str:
    # sg_event_id may be missing on some events and may exceed 100 characters: then, a digest.
    given = str(posted.get("sg_event_id") or "")
    if 0 < len(given) <= 100 and not _UNSTORABLE.search(given):  # noqa: PLR2004
        return given
    return hashlib.sha256(json.dumps(posted, sort_keys=True).encode()).hexdigest()


def _whole_number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004  # bigint


def _moment(value: Any) -> datetime:
    """Return the moment; the beginning of UNIX time for what is none."""
    seconds = _whole_number(value) or 0
    return datetime.fromtimestamp(seconds if seconds < _YEAR_3000 else 0, UTC)
