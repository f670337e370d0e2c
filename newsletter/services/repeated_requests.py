"""Requests that are sent again under the same idempotency key are done once."""

from dataclasses import dataclass
from hashlib import sha256

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

    def begin(
        self, token_id: int, key: str, request: bytes
    ) -> Reservation | StoredAnswer | StillRunning | KeyReused:
        """Reserve a key for a request, or return what became of the one that has it."""
        digest = sha256(request).digest()
        found = self.store.reserve(token_id, key, digest, self.clock.now())
        return _known(found, digest) if isinstance(found, KnownRequest) else found

    def answered(
        self, reserved: Reservation, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        self.store.answer(reserved, status, headers, body)

    def failed(self, reserved: Reservation) -> None:
        """Free the key: the same request may be tried again."""
        self.store.release(reserved)

    def delete_old(self) -> int:
        """Delete the answers that were kept long enough."""
        return self.store.delete_old(self.clock.now())


def _known(found: KnownRequest, digest: bytes) -> StoredAnswer | StillRunning | KeyReused:
    if found.request_hash != digest:
        return KeyReused()
    if found.status is None:
        return StillRunning()
    return StoredAnswer(status=found.status, headers=found.headers or {}, body=found.body or b"")
