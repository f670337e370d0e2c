"""What only whoever has a secret can read again: sealed by AES-GCM, with a key made of the secret.

The secret must be a long random one, such as a token's.
"""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12  #: bytes, as the mode wants it


def seal(text: bytes, secret: str) -> bytes:
    """Return a text as it may be stored beside a hash of the secret."""
    nonce = os.urandom(_NONCE)
    return nonce + _cipher(secret).encrypt(nonce, text, None)


def unseal(sealed: bytes, secret: str) -> bytes:
    """Return the text that was sealed with this secret."""
    return _cipher(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)


def _cipher(secret: str) -> AESGCM:
    derive = HKDF(SHA256(), length=32, salt=None, info=b"newsletter sealed text")
    return AESGCM(derive.derive(secret.encode()))
