"""Rules of mail/send v3 that several checks share: limits, problems, addresses, strings, headers.

Where the documents contradict each other the stricter reading holds: what the sandbox accepts,
SendGrid accepts under any reading. ERR is the page "mail-send/errors" of SendGrid's API reference,
MS its overview page "mail-send", OAS the published OpenAPI description `tsg_mail_v3`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

MAX_PERSONALIZATIONS = 1_000  #: ERR, OAS `maxItems`
MAX_RECIPIENTS = 1_000  #: ERR, MS: to + cc + bcc over all personalizations
MAX_BODY = 30 * 1024 * 1024  #: MS: the message with its attachments, below 30 MB
MAX_SUBSTITUTION_BYTES = 10_000  #: OAS, per personalization; ERR says 50,000
MAX_SUBSTITUTIONS = 150  #: ERR, items per personalization
CUSTOM_ARGS_BYTES = 10_000  #: MS, OAS: merged custom arguments stay *below* this
MAX_CATEGORIES = 10  #: ERR, OAS
MAX_CATEGORY_LENGTH = 255  #: OAS, characters
MAX_REPLY_TO = 1_000  #: MS, OAS, entries of `reply_to_list`
MAX_DISPLAYED_GROUPS = 25  #: ERR, OAS, `asm.groups_to_display`
POOL_NAME_LENGTHS = range(2, 65)  #: OAS, `ip_pool_name`
MAX_SEND_AHEAD = 72 * 3600  #: ERR, seconds between now and `send_at`
MAX_ADDRESS = 254  #: RFC 5321 4.5.3.1.3: a path of 256 without its angle brackets
MAX_LOCAL_PART = 64  #: RFC 5321 4.5.3.1.1

INVALID_ADDRESS = "Does not contain a valid address."


def words(text: str) -> frozenset[str]:
    """Return the set of the words in a text."""
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
        """Add one problem."""
        self.append(Problem(field, message, anchor))


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_integer(value: Any) -> TypeGuard[int]:
    """Return whether a JSON value is a whole number; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def address_key(email: Any) -> str | None:
    """Return the address folded for comparison; None when it is not a valid address."""
    if not isinstance(email, str) or len(email) > MAX_ADDRESS:
        return None
    key = email.lower()
    if not _ADDRESS.fullmatch(key) or key.index("@") > MAX_LOCAL_PART:
        return None
    return key


def check_mailbox(value: Any, field: str, problems: Problems) -> str | None:
    """Check an object of `email` and `name`; return the folded address when it is valid."""
    if not is_object(value):
        problems.add(field, "An address must be an object that holds an email.", "message.email")
        return None
    if len(value) != 1 or "email" not in value:
        check_keys(value, frozenset({"email", "name"}), field, problems)
        if not isinstance(value.get("name", ""), str):
            problems.add(f"{field}.name", "The name must be a string.", "message.name")
    key = address_key(value.get("email"))
    if key is None:
        problems.add(f"{field}.email", INVALID_ADDRESS, "message.email")
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


def string_bytes(value: Any) -> int | None:
    """Return the UTF-8 size of all keys and values; None unless it is an object of strings."""
    if not is_object(value):
        return None
    try:
        text = "".join(value) + "".join(value.values())
    except TypeError:  # a value is no string
        return None
    return len(text) if text.isascii() else len(text.encode())


def check_strings(value: Any, field: str, problems: Problems) -> None:
    """Name every value of an object that is not a string."""
    if not is_object(value):
        problems.add(field, f"{field} must be an object.", "message")
        return
    for key, one in value.items():
        if not isinstance(one, str):
            problems.add(f"{field}.{key}", "The value must be a string.", "message")


def check_headers(value: Any, field: str, problems: Problems) -> None:
    """Check the names and values of custom headers."""
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
