"""Addresses: which ones an email can be sent to, and when two are the same."""

import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from subscribers.errors import InvalidAddress

ADDRESS_LENGTH = 320  #: 64 of local part, "@", 255 of domain: RFC 5321 section 4.5.3.1

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# The plain addresses, nearly all there are. What this refuses, email-validator judges; names that
# need it (IDNA labels carry "--", special uses are top-level names) are left to it too.
is_plain = re.compile(
    rf"(?=.{{6,254}}\Z)(?=[^@]{{1,64}}@)(?!.*--)"
    rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+"
    r"(?!(?i:arpa|invalid|local|localhost|onion|test)\Z)[A-Za-z]{2,63}",
    re.ASCII,
).fullmatch


class Address(NamedTuple):
    """An address an email can be sent to."""

    email: str  #: as typed, but for a domain beyond ASCII, which travels in its IDNA form
    key: str  #: equal for the same address, however it was typed


def read_address(text: str) -> Address:
    """Return the address; raise InvalidAddress, saying what is wrong with it.

    The domain is not looked up.
    """
    typed = text.strip()
    return Address(typed, typed.lower()) if is_plain(typed) else _read_unusual(typed)


def email_key(text: str) -> str:
    """Return what the address is compared by; text that is no address is compared as it is."""
    try:
        return read_address(text).key
    except InvalidAddress:
        return text.strip().lower()


def _read_unusual(typed: str) -> Address:
    if not typed:
        raise InvalidAddress("there is no address")
    if len(typed) > ADDRESS_LENGTH:
        raise InvalidAddress(f"the address is longer than {ADDRESS_LENGTH} characters")
    try:
        # SendGrid does not promise to carry a local part beyond ASCII.
        found = validate_email(typed, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidAddress(f"not an address: {error}") from error
    email = f"{found.local_part}@{found.ascii_domain}"
    return Address(email, email.lower())
