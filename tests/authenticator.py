"""A device that makes passkeys, in software: what a browser answers to options."""

import json
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """Holds one passkey."""

    def __init__(self, origin: str, *, verifies: bool = True) -> None:
        self.origin, self.count = origin, 0
        self.host = origin.split("//")[1].partition(":")[0]
        self.credential_id = token_bytes(32)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._flags = _PRESENT | (_VERIFIED if verifies else 0)

    def create(self, options: str) -> str:
        """Return the answer to options of a registration."""
        client = self._client("webauthn.create", options)
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id
        data = self._data(_ATTESTED) + attested + self._public_key()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def sign(self, options: str, *, counts: bool = True) -> str:
        """Return the answer to options of an authentication."""
        self.count += counts
        client, data = self._client("webauthn.get", options), self._data()
        signature = self._key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _client(self, kind: str, options: str) -> bytes:
        challenge = json.loads(options)["challenge"]
        found = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps(found).encode()

    def _data(self, more: int = 0) -> bytes:
        flags = bytes([self._flags | more])
        return sha256(self.host.encode()).digest() + flags + self.count.to_bytes(4, "big")

    def _public_key(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _answer(self, **response: bytes) -> str:
        named = bytes_to_base64url(self.credential_id)
        found: dict[str, Any] = {"id": named, "rawId": named, "type": "public-key"}
        found["response"] = {name: bytes_to_base64url(one) for name, one in response.items()}
        return json.dumps(found | {"clientExtensionResults": {}})
