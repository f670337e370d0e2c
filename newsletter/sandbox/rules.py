"""Rules of mail/send v3 that several checks share: limits, problems, addresses, strings, headers.

Where the documents contradict each other the stricter reading holds: what the sandbox accepts,
SendGrid accepts under any reading. ERR is the page "mail-send/errors" of SendGrid's API reference,
MS its overview page "mail-send", OAS the published OpenAPI description `tsg_mail_v3`.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

MAX_BODY = 30 * 1024 * 1024  #: MS: the message with its attachments, below 30 MB
MAX_SUBSTITUTION_BYTES = 10_000  #: OAS, per personalization; ERR says 50,000
MAX_SUBSTITUTIONS = 150  #: ERR, items per personalization
CUSTOM_ARGS_BYTES = 10_000  #: MS, OAS: merged custom arguments stay *below* this
MAX_SEND_AHEAD = 72 * 3600  #: ERR, seconds between now and `send_at`
MAX_ADDRESS = 254  #: RFC 5321 4.5.3.1.3: a path of 256 without its angle brackets
MAX_LOCAL_PART = 64  #: RFC 5321 4.5.3.1.1

INVALID_ADDRESS = "Does not contain a valid address."


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RESERVED_HEADERS = words(  # ERR, OAS
    "x-sg-id x-sg-eid received dkim-signature content-type content-transfer-encoding to from "
    "subject reply-to cc bcc"
)
_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}", re.ASCII)


class Problem(NamedTuple):
    """One reason for a 400, and the place it names."""

    field: str | None
    message: str
    anchor: str = ""  #: of the rule in ERR

    def as_json(self) -> dict[str, str | None]:
        """Return the problem as an item of SendGrid's `errors`."""
        help_url = f"{_HELP}#{self.anchor}" if self.anchor else None
        return {"message": self.message, "field": self.field, "help": help_url}


class Problems(list[Problem]):
    """What is wrong with a request, in the order found."""

    def add(self, field: str | None, message: str, anchor: str = "") -> None:
        self.append(Problem(field, message, anchor))


Check = Callable[[Any, str, Problems], object]  #: takes a value, its place, and the problems so far


def rule(holds: Callable[[Any], object], message: str, anchor: str) -> Check:
    """Return the check that adds this problem to every value that it does not hold for."""

    def check(value: Any, field: str, problems: Problems) -> None:
        if not holds(value):
            problems.add(field, message, anchor)

    return check


def check_fields(
    value: Mapping[str, Any], checks: Mapping[str, Check], at: str, problems: Problems
) -> None:
    """Check the fields of an object that are there."""
    for name, check in checks.items():
        if name in value:
            check(value[name], f"{at}{name}", problems)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_integer(value: Any) -> TypeGuard[int]:
    """Return whether a JSON value is a whole number; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_string(value: Any) -> TypeGuard[str]:
    return isinstance(value, str)


def is_text(value: Any) -> TypeGuard[str]:
    """Return whether a JSON value is a string with at least one character."""
    return isinstance(value, str) and bool(value)


def check_mailbox(value: Any, field: str, problems: Problems) -> str | None:
    """Check an object of `email` and `name`; return the folded address when it is valid."""
    if not is_object(value):
        problems.add(field, "An address must be an object that holds an email.", "message.email")
        return None
    if len(value) != 1 or "email" not in value:
        check_keys(value, frozenset({"email", "name"}), field, problems)
        if not isinstance(value.get("name", ""), str):
            problems.add(f"{field}.name", "The name must be a string.", "message.name")
    email = value.get("email")
    key = email.lower() if isinstance(email, str) and len(email) <= MAX_ADDRESS else ""
    if not _ADDRESS.fullmatch(key) or key.index("@") > MAX_LOCAL_PART:
        problems.add(f"{field}.email", INVALID_ADDRESS, "message.email")
        return None
    return key


def check_keys(
    value: Mapping[str, Any], allowed: frozenset[str], field: str, problems: Problems
) -> None:
    """Refuse every key that is not documented."""
    for key in value.keys() - allowed:
        name = f"{field}.{key}" if field else key
        problems.add(name, f"Additional property {key} is not allowed.", "message")


def check_send_at(value: Any, now: float, field: str, problems: Problems) -> None:
    """Check a time to send at; one in the past is allowed and means at once."""
    if not is_integer(value):
        problems.add(field, "The send_at parameter must be an integer.", "message.send_at")
    elif value > now + MAX_SEND_AHEAD:
        message = "The send_at parameter must be within 72 hours from now."
        problems.add(field, message, "message.send_at")


def _string_bytes(value: Any, field: str, problems: Problems) -> int | None:
    """Return the UTF-8 size of all keys and values; None unless it is an object of strings."""
    if not is_object(value):
        problems.add(field, f"{field} must be an object.", "message")
        return None
    try:
        text = "".join(value) + "".join(value.values())
    except TypeError:
        for key, one in value.items():
            if not isinstance(one, str):
                problems.add(f"{field}.{key}", "The value must be a string.", "message")
        return None
    return len(text) if text.isascii() else len(text.encode())


def check_substitutions(value: Any, at: str, problems: Problems) -> None:
    """Check the tags and values of one personalization's substitutions."""
    size = _string_bytes(value, at, problems)
    if size is None:
        return
    if size > MAX_SUBSTITUTION_BYTES:
        message = f"Substitutions may take at most {MAX_SUBSTITUTION_BYTES} bytes."
        problems.add(at, message, "message.personalizations.substitutions")
    elif len(value) > MAX_SUBSTITUTIONS:
        message = f"There may be at most {MAX_SUBSTITUTIONS} substitutions."
        problems.add(at, message, "message.personalizations.substitutions")


def check_custom_args(value: Any, at: str, problems: Problems) -> None:
    """Check custom arguments, those of the message already merged in."""
    if (_string_bytes(value, at, problems) or 0) >= CUSTOM_ARGS_BYTES:
        message = f"Merged custom_args must stay below {CUSTOM_ARGS_BYTES} bytes."
        problems.add(at, message, "message.custom_args")
    elif value == {}:
        problems.add(at, "The custom_args can't be empty.", "message.custom_args")


def check_headers(value: Any, field: str, problems: Problems) -> None:
    if not is_object(value):
        problems.add(field, "The headers parameter must be an object.", "message.headers")
        return
    for name, text in value.items():
        if wrong := _wrong_header(name) or _wrong_header_value(text):
            problems.add(f"{field}.{name}", wrong, "message.headers")
    if len({name.lower() for name in value}) < len(value):
        problems.add(field, "A header may be given only once.", "message.headers")


@lru_cache(maxsize=256)
def _wrong_header(name: str) -> str:
    if not name.isascii() or not name.isprintable() or not name or " " in name or ":" in name:
        return "Header names must be ASCII without spaces."
    if name.lower() in RESERVED_HEADERS:
        return f"The header {name} is reserved and can not be used."
    return ""


def _wrong_header_value(text: Any) -> str:
    if not isinstance(text, str):
        return "Header values must be strings."
    # Not documented, but a line break would start another header.
    return "Header values must be one line." if "\n" in text or "\r" in text else ""
