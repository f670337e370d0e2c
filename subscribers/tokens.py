"""Tokens: the part of a link that lets its bearer do one thing to one subscription, without expiry.

A token is a subscription's number and a signature. Its key is the subscription's own, so there
is no master secret to lose, and a new link key voids the old links.
See docs/decisions/links-signed-per-subscription.md.
"""

import hmac
import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from hashlib import blake2b
from typing import NamedTuple

from subscribers.errors import InvalidLink
from subscribers.model import Purpose

_ID_SIZE = 6  #: bytes: 2**48 subscriptions
_MAC_SIZE = 15  #: bytes: 120 bits, and 6 + 15 bytes fill base64 without padding

# Just what base64url writes for 21 bytes: one spelling a token, since decoders forgive others.
_WHOLE = re.compile(r"[A-Za-z0-9_-]{28}").fullmatch
_URLSAFE = bytes.maketrans(b"+/", b"-_")


class SignedId(NamedTuple):
    """A token's number and signature, not checked yet."""

    subscription_id: int
    mac: bytes


def make_token(purpose: Purpose, subscription_id: int, link_key: bytes) -> str:
    """Return the token, 28 characters; a million of these are made during a send."""
    number = subscription_id.to_bytes(_ID_SIZE, "big")
    token = b2a_base64(number + _mac(purpose, number, link_key), newline=False)
    return token.translate(_URLSAFE).decode("ascii")


def read_token(token: str) -> SignedId:
    """Return the parts of a token; raise InvalidLink when it has not the shape of one."""
    if not _WHOLE(token):
        raise InvalidLink
    raw = urlsafe_b64decode(token)
    return SignedId(int.from_bytes(raw[:_ID_SIZE], "big"), raw[_ID_SIZE:])


def check_token(purpose: Purpose, signed: SignedId, link_key: bytes) -> None:
    """Raise InvalidLink unless the token was made with this key for this purpose."""
    number = signed.subscription_id.to_bytes(_ID_SIZE, "big")
    if not hmac.compare_digest(_mac(purpose, number, link_key), signed.mac):
        raise InvalidLink


def _mac(purpose: Purpose, number: bytes, link_key: bytes) -> bytes:
    return blake2b(number, digest_size=_MAC_SIZE, key=link_key, person=purpose).digest()
