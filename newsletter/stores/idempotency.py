"""Requests that bear an idempotency key, and the answers that a repetition gets again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from subscribers.db.transaction import DatabaseStore, rows, transaction

KEPT_FOR = timedelta(hours=24)
#: A request that has no answer after this was being answered by a process that died.
LEASE = timedelta(minutes=5)

_RESERVE = """
INSERT INTO idempotency_key (token_id, key, request_hash, reserved_at)
VALUES (%(token)s, %(key)s, %(hash)s, %(now)s)
ON CONFLICT (token_id, key) DO UPDATE
   SET request_hash = %(hash)s, reserved_at = %(now)s, status = NULL, headers = NULL, body = NULL
 WHERE idempotency_key.reserved_at <= %(expired)s
    OR (idempotency_key.status IS NULL AND idempotency_key.reserved_at <= %(dead)s)
RETURNING reserved_at
"""
_FIND = """
SELECT request_hash, status, headers, body FROM idempotency_key
 WHERE token_id = %(token)s AND key = %(key)s
"""
_MINE = "token_id = %(token)s AND key = %(key)s AND status IS NULL AND reserved_at = %(at)s"
_ANSWER = f"""
UPDATE idempotency_key SET status = %(status)s, headers = %(headers)s, body = %(body)s
 WHERE {_MINE}
"""  # noqa: S608  # no input
_RELEASE = f"DELETE FROM idempotency_key WHERE {_MINE}"  # noqa: S608  # no input


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A key that this request has, and no other until it is answered."""

    token_id: int
    key: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class KnownRequest:
    """A request that bore the same key before."""

    request_hash: bytes
    status: int | None  #: None: it is being answered
    headers: dict[str, str] | None
    body: bytes | None


class IdempotencyStore(DatabaseStore):
    """Stores which keys are in use; of two requests at once, one has the key."""

    def reserve(
        self, token_id: int, key: str, request_hash: bytes, now: datetime
    ) -> Reservation | KnownRequest:
        values: dict[str, Any] = {"token": token_id, "key": key, "hash": request_hash, "now": now}
        values |= {"expired": now - KEPT_FOR, "dead": now - LEASE}
        with transaction(self._engine) as session:
            if rows(session, _RESERVE, values):
                return Reservation(token_id=token_id, key=key, at=now)
            return KnownRequest(**rows(session, _FIND, values)[0])

    def answer(
        self, reserved: Reservation, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        """Store how a request was answered."""
        said = {"status": status, "headers": Jsonb(headers), "body": body}
        self._execute(_ANSWER, **_mine(reserved), **said)

    def release(self, reserved: Reservation) -> None:
        """Give a key back: what it was for was not done."""
        self._execute(_RELEASE, **_mine(reserved))

    def delete_old(self, now: datetime) -> int:
        old = "DELETE FROM idempotency_key WHERE reserved_at <= %(expired)s"
        return self._execute(old, expired=now - KEPT_FOR)


def _mine(reserved: Reservation) -> dict[str, Any]:
    return {"token": reserved.token_id, "key": reserved.key, "at": reserved.at}
