"""SendGrid's half of the event webhook: a key pair, and posts signed with it."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


def body_of(*events: Any) -> bytes:
    """Return events as SendGrid posts them: an array, with the line end that is signed, too."""
    return json.dumps(events).encode() + b"\r\n"


class Seal:
    """Signs posts with a P-256 key pair of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """Return base64 of SubjectPublicKeyInfo, as SendGrid shows it."""
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(self._key.public_key().public_bytes(*form)).decode()

    def headers(self, body: bytes, timestamp: str = "1795000000") -> dict[str, str]:
        """Return the signature headers for these bytes."""
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}
