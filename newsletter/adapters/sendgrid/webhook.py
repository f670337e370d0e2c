"""The event webhook: SendGrid's signature is verified, then its events are translated."""

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.adapters.redaction import redactor
from newsletter.adapters.sendgrid.payload import (
    ATTEMPT_ARG,
    DELIVERY_ARG,
    INSTALLATION_ARG,
    ISSUE_ARG,
    LETTER_ARG,
)
from newsletter.adapters.values import unix_moment, whole_number
from newsletter.core.delivery import DeliveryKey
from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.errors import ConfigurationError, EventNotAuthentic

SIGNATURE_HEADER = "x-twilio-email-event-webhook-signature"
TIMESTAMP_HEADER = "x-twilio-email-event-webhook-timestamp"

#: SendGrid's event names; `_kind` distinguishes the kinds of bounce, open and click.
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
    "account_status_change": EventKind.ACCOUNT_CHANGED,
}

#: `bounce_classification` of a block because of our reputation, content or rate, not because of the
#: mailbox: a provider that blocks us for three days must not cost us all of its readers.
_ABOUT_US = ("reputation", "content", "frequency")

#: SendGrid flags machines that open a letter, but not those that follow its links. Every browser
#: calls itself Mozilla; a scanner that does not, or that says what it is, is recognized by its
#: user agent. A scanner in disguise counts as a person.
_BROWSER = re.compile(r"Mozilla/\d.*\(|Opera/")
_SCANNER = re.compile(r"bot\b|crawl|spider|scan|preview|prefetch|headless|https?://", re.IGNORECASE)

#: PostgreSQL stores neither in a text: NUL, and halves of characters that JSON can spell.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

#: The same as JSON may spell it, and the numbers that only Python's JSON knows.
_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|[\ud800-\udfff]|NaN|Infinity")

#: What begins each of these, in a body that is UTF-8.
_ODD_HEADS = (b"\\u", b"NaN", b"Infinity")

_UNPLAIN = (dict, list, float)  #: values to be checked: 1e999 is a number only in JSON
_UNPLAIN_TYPES = frozenset[Any](_UNPLAIN)
_type_of: Callable[[object], Any] = type

_redacted = redactor()

_ID_LENGTH = 100  #: characters
_LONGEST_INTEGER = 4_000  #: digits; longer ones are kept as text


class SendGridEvents:
    """Verifies posts of the event webhook and translates their events.

    There may be several public keys, separated by commas: SendGrid makes a new pair when signing is
    switched off and on, and repeats posts signed with the old one for up to 24 hours. For the same
    reason an old timestamp is no error: a repeated post does no harm.
    """

    def __init__(self, public_keys: str | None) -> None:
        self._keys = [_public_key(key) for key in (public_keys or "").split(",") if key.strip()]

    def read(self, body: bytes, headers: Mapping[str, str]) -> tuple[DeliveryEvent, ...]:
        """Return the events of a post; EventNotAuthentic unless SendGrid signed these very bytes.

        `headers` have lower-case names. An event that cannot be understood becomes UNKNOWN.
        """
        self._verify(body, headers)
        try:
            if (plain := _plain_objects(body)) is not None:
                return tuple(_event(one, odd=False) for one in plain)
            text = _decoded(body)
            odd = _ODD.search(text) is not None
            return tuple(_event(one, odd=odd) for one in _objects(_parsed(text)))
        except (ValueError, RecursionError) as error:
            raise EventNotAuthentic("signed, but not a JSON array") from error

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        if not self._keys:
            raise EventNotAuthentic("no public key is configured: SENDGRID_WEBHOOK_KEY")
        signed = headers.get(TIMESTAMP_HEADER, "").encode() + body
        try:
            signature = base64.b64decode(headers.get(SIGNATURE_HEADER, ""), validate=True)
        except ValueError as error:
            raise EventNotAuthentic from error
        if not any(_is_signed(key, signature, signed) for key in self._keys):
            raise EventNotAuthentic


def _is_signed(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _public_key(text: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("SENDGRID_WEBHOOK_KEY is not a public key") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ConfigurationError("SENDGRID_WEBHOOK_KEY is not an elliptic-curve key")
    return key


def _plain_objects(body: bytes) -> list[dict[str, Any]] | None:
    """Return the events of a body that nothing is odd about; None where the slow way must decide.

    Nearly all are such, and orjson reads those as Python does. It differs in what is left out: it
    refuses halves of characters and NaN, and rounds large whole numbers. The pattern would search
    the whole body, so it is asked only where one of its heads is there.
    """
    if any(head in body for head in _ODD_HEADS) and _ODD.search(body.decode("utf-8", "replace")):
        return None
    try:
        posted = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return cast("list[dict[str, Any]]", posted) if _are_flat(posted) else None


def _are_flat(posted: Any) -> bool:
    """Return whether these are objects of texts, whole numbers, truths and nulls."""
    return isinstance(posted, list) and all(
        isinstance(one, dict)
        and _UNPLAIN_TYPES.isdisjoint(map(_type_of, cast("dict[str, Any]", one).values()))
        for one in cast("list[Any]", posted)
    )


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8", "surrogatepass")  # RFC 8259, 8.1
    except UnicodeDecodeError:  # one bad byte must not refuse the whole post
        return body.decode("utf-8", "replace")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        # Python refuses to read a number of thousands of digits: one must not refuse the rest.
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _objects(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise ValueError("not an array")  # noqa: TRY004  # caught like invalid JSON
    # What is not an object is no event, but is stored anyway.
    posted = cast("list[Any]", found)
    return [
        one if isinstance(one, dict) else {"posted": _redacted(json.dumps(one))} for one in posted
    ]


def _event(posted: dict[str, Any], *, odd: bool) -> DeliveryEvent:
    # The address is stored elsewhere; here it would outlive its owner's erasure.
    email = str(posted.get("email"))
    raw = {name: value for name, value in posted.items() if name != "email"}
    if odd or not _is_plain(raw, email.casefold()):
        raw = _storable(raw, email)
    return DeliveryEvent(
        event_id=_event_id(posted),
        kind=_kind(raw),
        delivery=_delivery(raw),
        attempt_id=_text(raw, ATTEMPT_ARG),
        installation_id=_text(raw, INSTALLATION_ARG),
        transactional_id=whole_number(raw.get(LETTER_ARG)),
        at=unix_moment(raw.get("timestamp")),
        reason=str(raw.get("reason") or raw.get("response") or ""),
        raw=raw,
        email=email if "@" in email and email.isprintable() else "",
    )


def _delivery(raw: dict[str, Any]) -> DeliveryKey | None:
    issue_id, place = (whole_number(raw.get(name)) for name in (ISSUE_ARG, DELIVERY_ARG))
    return None if issue_id is None or place is None else DeliveryKey(issue_id, place)


def _text(raw: dict[str, Any], name: str) -> str | None:
    return str(raw[name]) if raw.get(name) else None


def _is_plain(raw: dict[str, Any], email: str) -> bool:
    # Nearly all events are, and are stored as they came.
    return not any(
        "@" in value and email in value.casefold()  # one without @ is no address to take out
        if isinstance(value, str)
        else isinstance(value, _UNPLAIN)
        for value in raw.values()
    )


def _storable(value: Any, email: str) -> Any:
    """Return a JSON value as PostgreSQL can store it, without this address."""
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
    # Receiving servers often quote the address in their answers.
    if "@" not in email or email.casefold() not in text.casefold():
        return text
    return re.sub(re.escape(email), "(the address)", text, flags=re.IGNORECASE)


def _kind(raw: dict[str, Any]) -> EventKind:
    kind = _KINDS.get(str(raw.get("event")), EventKind.UNKNOWN)
    match kind:
        case EventKind.BOUNCED if raw.get("type", "bounce") != "bounce":  # blocked, or expired
            classified = str(raw.get("bounce_classification")).casefold()
            return EventKind.BLOCKED if classified.startswith(_ABOUT_US) else EventKind.SOFT_BOUNCED
        case EventKind.OPENED if raw.get("sg_machine_open") is True:
            return EventKind.OPENED_BY_MACHINE
        case EventKind.CLICKED if _is_machine(str(raw.get("useragent") or "")):
            return EventKind.CLICKED_BY_MACHINE
        case _:
            return kind


def _is_machine(agent: str) -> bool:
    return bool(agent) and (not _BROWSER.match(agent) or _SCANNER.search(agent) is not None)


def _event_id(posted: dict[str, Any]) -> str:
    # sg_event_id may be missing or longer than 100 characters: then a digest.
    given = str(posted.get("sg_event_id") or "")
    if 0 < len(given) <= _ID_LENGTH and not _UNSTORABLE.search(given):
        return given
    return hashlib.sha256(json.dumps(posted, sort_keys=True).encode()).hexdigest()
