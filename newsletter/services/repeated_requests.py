"""Requests that are sent again under the same idempotency key are done once.

An answer may hold a secret, or somebody's address: it is stored sealed by the token that asked.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.ports import Clock
from newsletter.stores.idempotency import IdempotencyStore, KnownRequest, Reservation


@dataclass(frozen=True, kw_only=True)
class KeyReused:
    """The key came before with another request."""


@dataclass(frozen=True, kw_only=True)
class StillRunning:
    """The request that bore the key first is being answered."""


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """How the request was answered when it came first."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(eq=False)
class RepeatedRequests:
    """Reserves a key before the work, and keeps the answer for a repetition."""

    store: IdempotencyStore
    clock: Clock
    seal: Callable[[bytes, str], bytes]
    unseal: Callable[[bytes, str], bytes]

    def begin(
        self, token_id: int, secret: str, key: str, request: bytes
    ) -> Reservation | StoredAnswer | StillRunning | KeyReused:
        """Reserve a key for a request, or return what became of the one that has it."""
        digest = hmac.digest(secret.encode(), request, "sha256")  # nobody else can guess at it
        found = self.store.reserve(token_id, key, digest, self.clock.now())
        return self._known(found, digest, secret) if isinstance(found, KnownRequest) else found

    def answered(
        self,
        reserved: Reservation,
        secret: str,
        *,
        status: int,
        headers: dict[str, str],
        body: bytes,
    ) -> None:
        """Keep an answer, readable only with the secret of the token that asked."""
        self.store.answer(reserved, status, headers, self.seal(body, secret))

    def failed(self, reserved: Reservation) -> None:
        """Free the key: the same request may be tried again."""
        self.store.release(reserved)

    def delete_old(self) -> int:
        """Delete the answers that were kept long enough."""
        return self.store.delete_old(self.clock.now())

    def _known(
        self, found: KnownRequest, digest: bytes, secret: str
    ) -> StoredAnswer | StillRunning | KeyReused:
        if not hmac.compare_digest(found.request_hash, digest):
            return KeyReused()
        if found.status is None:
            return StillRunning()
        body = self.unseal(found.body or b"", secret)
        return StoredAnswer(status=found.status, headers=found.headers or {}, body=body)
